import { ByteStore } from "./byte-store.ts";
import { isLegalValue } from "./characters.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { FIELD_OVERHEAD, Field, NEVER_INDEXED, WITH_INDEXING, WITHOUT_INDEXING } from "./field.ts";
import { scanHuffmanValue } from "./huffman.ts";
import type { Name } from "./name.ts";
import { nameFromRaw } from "./name-cache.ts";
import { staticFields } from "./static-fields.ts";
import { STATIC_SIZE } from "./static-table.ts";

/** A header block that cannot be decoded: the connection must end with COMPRESSION_ERROR (RFC 9113 section 4.3). */
export class HpackError extends Error {
  override readonly name = "HpackError";
}

/** The decoding half of one connection (RFC 7541). Values are checked and counted, not decoded. */
export class HpackDecoder {
  /** Bytes (RFC 9113 section 6.5.2) of fields that {@link decode} hands out; what is beyond is only decoded. */
  maxListSize = Number.POSITIVE_INFINITY;
  /** Size of the last list, 32 bytes per field included. */
  listSize = 0;
  /** Whether a field of the last list holds bytes that RFC 9113 section 8.2.1 forbids, or an empty name. */
  malformed = false;

  private readonly table: DynamicTable;
  private readonly store = new ByteStore();
  private limit: number;
  /** Set while a lowered limit waits for the size update that RFC 7541 section 4.2 demands. */
  private updateDue = false;
  /** Where the last private method stopped reading. */
  private at = 0;

  /** `maxTableSize` is what both ends start from: 4,096 in HTTP/2. */
  constructor(maxTableSize = 4096) {
    this.limit = maxTableSize;
    this.table = new DynamicTable(maxTableSize);
  }

  /** True if the last list exceeded `maxListSize` and is cut. */
  get tooLarge(): boolean {
    return this.listSize > this.maxListSize;
  }

  /** Sets the SETTINGS_HEADER_TABLE_SIZE that the peer has acknowledged. Takes effect with the next block. */
  setMaxTableSize(size: number): void {
    this.limit = size;
    this.updateDue = this.table.capacity > size;
  }

  /**
   * Decodes one whole header block, `[start, end)` of `buf`, and appends its fields to `out` in order.
   * Fields may refer to `buf`: whoever keeps one calls {@link Field.retain} before `buf` changes.
   * Throws {@link HpackError}; the decoder is of no use afterwards.
   */
  decode(buf: Buffer, start: number, end: number, out: Field[]): void {
    let at = start;
    if (this.updateDue || (start < end && (buf[start]! & 0xe0) === 0x20))
      at = this.sizeUpdates(buf, start, end);
    let listSize = 0;
    let legal = true;
    while (at < end) {
      const first = buf[at]!;
      let field: Field;
      if (first >= 0x80) {
        let index = first & 0x7f;
        at++;
        if (index === 0x7f) {
          index = this.integer(buf, at, end, 0x7f);
          at = this.at;
        }
        field = this.entry(index);
      } else {
        field = this.literal(buf, at, end, first);
        at = this.at;
      }
      if (!field.legal) legal = false;
      listSize += field.size;
      if (listSize <= this.maxListSize) out.push(field);
    }
    this.listSize = listSize;
    this.malformed = !legal;
  }

  private sizeUpdates(buf: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && (buf[at]! & 0xe0) === 0x20) {
      let size = buf[at]! & 0x1f;
      at++;
      if (size === 0x1f) {
        size = this.integer(buf, at, end, 0x1f);
        at = this.at;
      }
      if (size > this.limit) throw new HpackError(`table size update to ${size}, the limit is ${this.limit}`);
      this.table.resize(size);
      this.updateDue = false;
    }
    if (this.updateDue) throw new HpackError(`no table size update after the limit became ${this.limit}`);
    return at;
  }

  private entry(index: number): Field {
    if (index > STATIC_SIZE) {
      const insertion = this.table.newest - (index - STATIC_SIZE - 1);
      if (insertion > this.table.evicted) return this.table.at(insertion);
    } else if (index > 0) {
      return staticFields[index]!;
    }
    throw new HpackError(`reference to entry ${index}, which no table has`);
  }

  private literal(buf: Buffer, start: number, end: number, first: number): Field {
    let indexing = WITHOUT_INDEXING;
    let mask = 0x0f;
    if (first >= 0x40) {
      indexing = WITH_INDEXING;
      mask = 0x3f;
    } else if (first >= 0x20) {
      throw new HpackError("table size update behind a field");
    } else if (first >= 0x10) {
      indexing = NEVER_INDEXED;
    }
    let index = first & mask;
    this.at = start + 1;
    if (index === mask) index = this.integer(buf, this.at, end, mask);
    const name = index === 0 ? this.literalName(buf, end) : this.entry(index).name;
    return this.literalValue(buf, end, name, indexing);
  }

  private literalName(buf: Buffer, end: number): Name {
    const huffman = this.at < end && buf[this.at]! >= 0x80;
    const length = this.stringLength(buf, end);
    const start = this.at;
    this.at += length;
    const name = nameFromRaw(buf, start, this.at, huffman);
    if (name === null) throw new HpackError("bad Huffman code in a field name");
    return name;
  }

  private literalValue(buf: Buffer, end: number, name: Name, indexing: number): Field {
    const huffman = this.at < end && buf[this.at]! >= 0x80;
    const rawLength = this.stringLength(buf, end);
    const start = this.at;
    const stop = start + rawLength;
    this.at = stop;
    let length = rawLength;
    let legal: boolean;
    if (huffman) {
      const scan = scanHuffmanValue(buf, start, stop);
      if (scan < 0) throw new HpackError("bad Huffman code in a field value");
      length = scan >> 1;
      legal = (scan & 1) === 0;
    } else {
      legal = isLegalValue(buf, start, stop);
    }
    if (indexing !== WITH_INDEXING) {
      return new Field(name, indexing, buf, start, stop, huffman, length, legal, true, 0);
    }
    return this.indexed(name, buf, start, stop, huffman, length, legal);
  }

  /** A field for the table, on bytes that last; one too large for the table empties it and is not kept. */
  private indexed(
    name: Name,
    buf: Buffer,
    start: number,
    stop: number,
    huffman: boolean,
    length: number,
    legal: boolean,
  ): Field {
    let field: Field;
    if (name.text.length + length + FIELD_OVERHEAD > this.table.capacity) {
      field = new Field(name, WITH_INDEXING, buf, start, stop, huffman, length, legal, true, 0);
    } else {
      this.store.copy(buf, start, stop);
      const { slab, start: at } = this.store;
      const end = at + stop - start;
      field = new Field(name, WITH_INDEXING, slab, at, end, huffman, length, legal, false, 0);
    }
    this.table.insert(field);
    return field;
  }

  private stringLength(buf: Buffer, end: number): number {
    if (this.at >= end) throw new HpackError("block ends where a string should start");
    let length = buf[this.at]! & 0x7f;
    this.at++;
    if (length === 0x7f) length = this.integer(buf, this.at, end, 0x7f);
    if (length > end - this.at) throw new HpackError("block ends inside a string");
    return length;
  }

  /** The rest of an integer whose prefix is full; at most four bytes, so it stays below 2^28 + 127. */
  private integer(buf: Buffer, start: number, end: number, prefix: number): number {
    let value = prefix;
    for (let i = 0; i < 4 && start + i < end; i++) {
      const byte = buf[start + i]!;
      value += (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        this.at = start + i + 1;
        return value;
      }
    }
    throw new HpackError("integer too long or cut off");
  }
}
