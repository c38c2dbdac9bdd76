/** Which chunks blobs were cut into, remembered: computed from blobs, and never given to a caller who does not have them (law 10). */
import type { Digest } from "../../wire/digest.ts";
import { decodeList, encodeList } from "./chunk-list.ts";

/** Bytes of all lists of a thread, and what one takes besides its own, with its key. */
const MOST_BYTES = 8 << 20;
const ENTRY_BYTES = 400;

/** Lists by key, the longest unused forgotten first. */
export class ListMemory {
  private readonly limit: number;
  private readonly lists = new Map<string, Buffer>();
  private used = 0;

  constructor(limit: number = MOST_BYTES) {
    this.limit = limit;
  }

  /** The list that was remembered; null for none. */
  get(key: string): Digest[] | null {
    const list = this.lists.get(key);
    if (list === undefined) return null;
    this.lists.delete(key);
    this.lists.set(key, list);
    return decodeList(list);
  }

  /** Remembers a list, unless it takes more than a quarter of all. */
  set(key: string, chunks: readonly Digest[]): void {
    this.delete(key);
    const list = encodeList(chunks);
    if (list.length + ENTRY_BYTES > this.limit / 4) return;
    this.lists.set(key, list);
    this.used += list.length + ENTRY_BYTES;
    while (this.used > this.limit) this.delete(this.lists.keys().next().value!);
  }

  delete(key: string): void {
    const list = this.lists.get(key);
    if (list === undefined) return;
    this.lists.delete(key);
    this.used -= list.length + ENTRY_BYTES;
  }
}
