import { isLegalValue } from "./characters.ts";
import { decodeHuffman } from "./huffman.ts";
import { MAX_INTEGER_BYTES } from "./integer.ts";
import type { Name } from "./name.ts";
import { staticEntries } from "./static-table.ts";
import { prefersHuffman, rawBytes } from "./string-literal.ts";

/** Bytes that RFC 9113 section 6.5.2 and RFC 7541 section 4.1 add to name and value of each field. */
export const FIELD_OVERHEAD = 32;

/** How a literal is sent (RFC 7541 section 6.2): not indexed, put into the table, or never indexed by anyone. */
export const WITHOUT_INDEXING = 0;
export const WITH_INDEXING = 1;
export const NEVER_INDEXED = 2;

/**
 * One header or trailer field. A field that arrives as a reference to a table is the same object each time. The value
 * stays in the form it arrived in (plain or Huffman bytes), is forwarded by copying, and becomes text when asked for.
 */
export class Field {
  readonly name: Name;
  /** Length of the value in bytes, decoded. */
  readonly valueLength: number;
  /** Name and value, decoded, plus 32: what the field counts for in tables and list limits. */
  readonly size: number;
  /** Whether name and value hold only bytes that RFC 9113 section 8.2.1 allows. */
  readonly legal: boolean;
  /** One of {@link WITHOUT_INDEXING}, {@link WITH_INDEXING} and {@link NEVER_INDEXED}. */
  readonly indexing: number;
  /** Index of the static table's entry with this name and this value, or 0. */
  readonly staticIndex: number;
  /** No literal of this field takes more bytes. */
  readonly encodedBound: number;
  /** Whether the bytes of the value are in Huffman form. */
  readonly huffman: boolean;
  /** The buffer that holds the value at `[start, end)`; read it at once, see {@link retain}. */
  buffer: Buffer;
  start: number;
  end: number;
  /** For encoders only: which encoder last had the field in its table, and as its how-manieth insertion. */
  encoderId = 0;
  insertion = 0;

  private borrowed: boolean;
  private text: string | null = null;

  /** For this folder; others call {@link makeField}. `borrowed` says that `buffer` will be reused after the read event. */
  constructor(
    name: Name,
    indexing: number,
    buffer: Buffer,
    start: number,
    end: number,
    huffman: boolean,
    valueLength: number,
    legalValue: boolean,
    borrowed: boolean,
    staticIndex: number,
  ) {
    this.name = name;
    this.indexing = indexing;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.huffman = huffman;
    this.valueLength = valueLength;
    this.size = name.text.length + valueLength + FIELD_OVERHEAD;
    this.legal = legalValue && name.legal;
    this.borrowed = borrowed;
    this.staticIndex = staticIndex;
    this.encodedBound = 2 * MAX_INTEGER_BYTES + name.literal.length + end - start;
  }

  /** The value, one character for each byte (latin1). Of a borrowed field only before {@link retain} is due. */
  get value(): string {
    this.text ??= this.huffman
      ? decodeHuffman(this.buffer, this.start, this.end)!
      : this.buffer.toString("latin1", this.start, this.end);
    return this.text;
  }

  /** Whether nobody on the way may put the field into a table (RFC 7541 section 7.1.3). */
  get neverIndexed(): boolean {
    return this.indexing === NEVER_INDEXED;
  }

  /** Must be called to use the field after the read event it arrived in: takes the value out of the read buffer. */
  retain(): void {
    if (!this.borrowed) return;
    const copy = Buffer.allocUnsafeSlow(this.end - this.start);
    this.buffer.copy(copy, 0, this.start, this.end);
    this.buffer = copy;
    this.end -= this.start;
    this.start = 0;
    this.borrowed = false;
  }
}

/** How {@link makeField} wants the field sent. Neither is set by default: a literal that no table keeps. */
interface FieldOptions {
  /** Keep the value out of every table on the way: for secrets. Wins over `index`. */
  readonly neverIndexed?: boolean;
  /** Put the field into the encoder's table: for values that are sent often. */
  readonly index?: boolean;
}

const staticIndexes = new Map<string, number>(
  staticEntries.map(([name, value], i) => [`${name}\0${value}`, i]),
);

/**
 * Makes a field of our own. `value` has one character for each byte (latin1).
 * Throws a TypeError if name or value hold what RFC 9113 section 8.2.1 forbids: the caller must have encoded it.
 */
export function makeField(name: Name, value: string, options: FieldOptions = {}): Field {
  const plain = Buffer.from(value, "latin1");
  const legal = /^[\0-\xff]*$/.test(value) && isLegalValue(plain, 0, plain.length);
  if (!legal || !name.legal) {
    throw new TypeError(
      `header field ${JSON.stringify(name.text)}: a name or value that HTTP/2 cannot carry`,
    );
  }
  const indexing = options.neverIndexed === true ? NEVER_INDEXED : options.index === true ? WITH_INDEXING : 0;
  const huffman = prefersHuffman(value);
  const raw = huffman ? rawBytes(value, true) : plain;
  const staticIndex = indexing === NEVER_INDEXED ? 0 : (staticIndexes.get(`${name.text}\0${value}`) ?? 0);
  return new Field(name, indexing, raw, 0, raw.length, huffman, value.length, true, false, staticIndex);
}

/** The size of a header list in bytes, as RFC 9113 section 6.5.2 counts it. */
export function listSize(fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + field.size, 0);
}
