/** What one thread remembers of actions and trees, all of it computed from blobs: nothing of it is ever given to a caller (law 10). */

/** Bytes that all engines of a thread remember together. */
const MOST_BYTES = 48 << 20;
/** What an entry takes besides its value, with its key. */
const ENTRY_BYTES = 400;

interface Entry {
  readonly value: unknown;
  readonly bytes: number;
}

/** Values by key, the longest unused forgotten first. */
export class Memory {
  private readonly limit: number;
  private readonly entries = new Map<string, Entry>();
  private used = 0;

  constructor(limit: number = MOST_BYTES) {
    this.limit = limit;
  }

  /** What was remembered under the key; undefined if nothing was, or it is forgotten. The caller knows its type by the key. */
  get<Value>(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value as Value;
  }

  /** Remembers a value that takes so many bytes. One that takes more than a sixteenth of all is not remembered. */
  set(key: string, value: unknown, bytes: number): void {
    this.delete(key);
    const entry = { value, bytes: bytes + ENTRY_BYTES };
    if (entry.bytes > this.limit / 16) return;
    this.entries.set(key, entry);
    this.used += entry.bytes;
    while (this.used > this.limit) this.delete(this.entries.keys().next().value!);
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.used -= entry.bytes;
  }
}
