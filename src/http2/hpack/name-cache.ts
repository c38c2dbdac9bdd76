import { ownCopy } from "../headroom.ts";
import { decodeHuffman } from "./huffman.ts";
import { type Name, receivedName } from "./name.ts";

/** Longer names are decoded each time. */
const MAX_CACHED_BYTES = 96;
const SLOTS = 1024;

interface CachedName {
  readonly bytes: Buffer;
  readonly huffman: boolean;
  readonly name: Name;
}

/** One place per hash and the newest comer takes it: bounded, and nothing a peer sends can spoil it for long. */
const slots: (CachedName | undefined)[] = new Array<CachedName | undefined>(SLOTS).fill(undefined);

/**
 * The Name that the raw bytes `[start, end)` of a string literal spell, or null if they are no Huffman string. A name that
 * was seen lately costs a hash and a comparison.
 */
export function nameFromRaw(buf: Buffer, start: number, end: number, huffman: boolean): Name | null {
  if (end - start > MAX_CACHED_BYTES) return spell(buf, start, end, huffman);
  let hash = huffman ? 1 : 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + buf[i]!) | 0;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const cached = slots[slot];
  if (cached !== undefined && cached.huffman === huffman && sameBytes(cached.bytes, buf, start, end)) {
    return cached.name;
  }
  const name = spell(buf, start, end, huffman);
  if (name !== null) slots[slot] = { bytes: ownCopy(buf, start, end), huffman, name };
  return name;
}

function spell(buf: Buffer, start: number, end: number, huffman: boolean): Name | null {
  const text = huffman ? decodeHuffman(buf, start, end) : buf.toString("latin1", start, end);
  return text === null ? null : receivedName(text);
}

function sameBytes(known: Buffer, buf: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== buf[start + i]) return false;
  return true;
}
