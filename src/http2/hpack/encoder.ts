import { DynamicTable } from "./dynamic-table.ts";
import { type Field, NEVER_INDEXED, WITH_INDEXING } from "./field.ts";
import { MAX_INTEGER_BYTES, writeInteger } from "./integer.ts";
import { STATIC_SIZE } from "./static-table.ts";

/** Slots to find an equal entry by; two entries of one slot only cost compression. */
const HASH_SLOTS = 256;
/** Below this length a loop copies faster than a call. */
const SHORT_COPY = 32;

let encoders = 0;

/**
 * The encoding half of one connection (RFC 7541). It repeats the decisions of whoever made the fields: what arrived as
 * an entry of a table becomes one here, what was not or never to be indexed is not. Values are copied, not encoded.
 */
export class HpackEncoder {
  private readonly id = ++encoders;
  private readonly table: DynamicTable;
  private readonly most: number;
  /** Newest entry by name; entries that were evicted are weeded out now and then. */
  private readonly names = new Map<string, number>();
  /** Newest entry by hash of its value. */
  private readonly values = new Float64Array(HASH_SLOTS);
  /** The table sizes to announce with the next block: the smallest since the last one, and the last; -1 for none. */
  private smallest = -1;
  private latest = -1;

  /** `maxTableSize` is what both ends start from, 4,096 in HTTP/2, and the most this side will ever use. */
  constructor(maxTableSize = 4096) {
    this.most = maxTableSize;
    this.table = new DynamicTable(maxTableSize);
  }

  /** Takes the peer's SETTINGS_HEADER_TABLE_SIZE; the next block announces what follows from it. */
  setPeerTableSize(size: number): void {
    const wanted = Math.min(size, this.most);
    this.smallest = this.latest < 0 ? wanted : Math.min(this.smallest, wanted);
    this.latest = wanted;
  }

  /** No block of these fields that {@link encode} writes next takes more bytes. */
  sizeBound(fields: readonly Field[]): number {
    let bound = 2 * MAX_INTEGER_BYTES;
    for (let i = 0; i < fields.length; i++) bound += fields[i]!.encodedBound;
    return bound;
  }

  /**
   * Writes one header block at `at` and returns the offset behind it. `out` must have {@link sizeBound} bytes left.
   * The block counts as sent: the next one builds on it.
   */
  encode(fields: readonly Field[], out: Buffer, at: number): number {
    let offset = this.latest < 0 ? at : this.writeSizeUpdates(out, at);
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      let index = field.staticIndex;
      if (index === 0 && field.encoderId === this.id && field.insertion > this.table.evicted) {
        index = STATIC_SIZE + 1 + this.table.newest - field.insertion;
      }
      if (index === 0) {
        offset = this.writeNew(field, out, offset);
      } else if (index < 0x7f) {
        out[offset++] = 0x80 | index;
      } else {
        offset = writeInteger(out, offset, 0x80, 0x7f, index);
      }
    }
    return offset;
  }

  private writeSizeUpdates(out: Buffer, at: number): number {
    let offset = at;
    if (this.smallest < this.table.capacity) offset = this.writeSizeUpdate(this.smallest, out, offset);
    if (this.latest !== this.table.capacity) offset = this.writeSizeUpdate(this.latest, out, offset);
    this.latest = -1;
    return offset;
  }

  private writeSizeUpdate(size: number, out: Buffer, at: number): number {
    this.table.resize(size);
    return writeInteger(out, at, 0x20, 0x1f, size);
  }

  /** Writes a field that this encoder does not remember by object. */
  private writeNew(field: Field, out: Buffer, at: number): number {
    if (field.indexing !== WITH_INDEXING || field.size > this.table.capacity) {
      const pattern = field.indexing === NEVER_INDEXED ? 0x10 : 0;
      return this.writeLiteral(field, pattern, 0x0f, out, at);
    }
    const slot = valueHash(field) & (HASH_SLOTS - 1);
    const known = this.values[slot]!;
    if (known > this.table.evicted && isEqual(this.table.at(known), field)) {
      this.remember(field, known);
      return writeInteger(out, at, 0x80, 0x7f, STATIC_SIZE + 1 + this.table.newest - known);
    }
    const offset = this.writeLiteral(field, 0x40, 0x3f, out, at);
    field.retain();
    this.table.insert(field);
    this.remember(field, this.table.newest);
    this.values[slot] = this.table.newest;
    if (field.name.staticIndex === 0) this.rememberName(field.name.text);
    return offset;
  }

  private remember(field: Field, insertion: number): void {
    field.encoderId = this.id;
    field.insertion = insertion;
  }

  private rememberName(name: string): void {
    this.names.set(name, this.table.newest);
    if (this.names.size <= 2 * (this.table.newest - this.table.evicted) + 16) return;
    for (const [text, insertion] of this.names) {
      if (insertion <= this.table.evicted) this.names.delete(text);
    }
  }

  private nameIndex(field: Field): number {
    if (field.name.staticIndex !== 0) return field.name.staticIndex;
    const insertion = this.names.get(field.name.text) ?? 0;
    return insertion > this.table.evicted ? STATIC_SIZE + 1 + this.table.newest - insertion : 0;
  }

  private writeLiteral(field: Field, pattern: number, mask: number, out: Buffer, at: number): number {
    const index = this.nameIndex(field);
    let offset = writeInteger(out, at, pattern, mask, index);
    if (index === 0) {
      const name = field.name.literal;
      offset = copyBytes(name, 0, name.length, out, offset);
    }
    offset = writeInteger(out, offset, field.huffman ? 0x80 : 0, 0x7f, field.end - field.start);
    return copyBytes(field.buffer, field.start, field.end, out, offset);
  }
}

function copyBytes(from: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const length = end - start;
  if (length <= SHORT_COPY) {
    for (let i = 0; i < length; i++) out[at + i] = from[start + i]!;
  } else {
    from.copy(out, at, start, end);
  }
  return at + length;
}

/** A hash of a few bytes from both ends of the value: a full comparison follows anyway. */
function valueHash(field: Field): number {
  const { buffer, start, end } = field;
  let hash = (field.name.text.length << 8) + end - start;
  for (let i = start, last = Math.min(end, start + 8); i < last; i++) hash = Math.imul(hash, 31) + buffer[i]!;
  for (let i = Math.max(start, end - 16); i < end; i++) hash = Math.imul(hash, 31) + buffer[i]!;
  return hash ^ (hash >>> 16);
}

function isEqual(a: Field, b: Field): boolean {
  if (a.name !== b.name && a.name.text !== b.name.text) return false;
  const length = a.end - a.start;
  if (length !== b.end - b.start || a.huffman !== b.huffman) return false;
  return a.buffer.compare(b.buffer, b.start, b.end, a.start, a.end) === 0;
}
