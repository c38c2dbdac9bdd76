/** Writes protobuf messages as lists of slices, sorted by field number (drift.md R1). */
import { MAX_VARINT_BYTES, writeVarint, writeVarint64 } from "./varint.ts";
import { Walker, WireType } from "./walker.ts";
import { WireError } from "./wire-error.ts";

/** Consecutive bytes of the output: whole fields with ascending numbers, or (`part`) one piece of a field. */
interface Piece {
  readonly buffer: Buffer;
  readonly start: number;
  end: number;
  readonly firstNumber: number;
  lastNumber: number;
  readonly part: boolean;
}

/** A message of more pieces than this is not written: each costs memory far beyond its bytes. */
const MAX_PIECES = 1 << 20;

/** Payloads up to this length are copied next to their tag; longer ones become slices of their own. */
const COPY_BELOW = 256;

const SCRATCH_BYTES = 512;
const NOTHING = Buffer.alloc(0);

/**
 * Collects the fields of one message in any order. {@link finish} returns them by ascending number, fields of equal number in the order
 * they were added: canonical, if each is. Long payloads and copied fields are referenced, not copied: leave them unchanged until the
 * output is used. Defaults are written when asked for; canonical encoding wants callers not to ask.
 *
 * Sorting keeps the meaning of every message without a oneof; none of those in the content-addressable storage has one.
 */
export class FieldWriter {
  private readonly pieces: Piece[] = [];
  private readonly maxPieces: number;
  private sorted = true;
  private length = 0;
  private scratch: Buffer = NOTHING;
  private used = 0;

  /** `maxPieces` bounds memory: runs of adjacent fields count as one piece. */
  constructor(maxPieces: number = MAX_PIECES) {
    this.maxPieces = maxPieces;
  }

  /** Bytes of the message so far. */
  get byteLength(): number {
    return this.length;
  }

  /** Adds the walker's current field as it is, byte for byte. @throws WireError `too-many-pieces`. */
  copy(field: Walker): void {
    this.add(field.buffer, field.fieldStart, field.fieldEnd, field.number, false);
  }

  /** Adds a varint field: an integer (a number must be safe), an enum or a bool. Negative ones take ten bytes. */
  varint(number: number, value: number | bigint | boolean): void {
    const start = this.reserve(2 * MAX_VARINT_BYTES);
    let at = writeVarint(this.scratch, start, tag(number, WireType.VARINT));
    if (typeof value === "bigint" || (typeof value === "number" && value < 0))
      at = writeVarint64(this.scratch, at, BigInt(value));
    else at = writeVarint(this.scratch, at, Number(value));
    this.added(start, at, number, false);
  }

  /** Adds a string field. */
  text(number: number, value: string): void {
    const length = Buffer.byteLength(value);
    const start = this.reserve(2 * MAX_VARINT_BYTES + length);
    let at = writeVarint(this.scratch, start, tag(number, WireType.LEN));
    at = writeVarint(this.scratch, at, length);
    at += this.scratch.write(value, at, length, "utf8");
    this.added(start, at, number, false);
  }

  /** Adds a bytes field, or a message field from its encoding. */
  bytes(number: number, value: Buffer): void {
    if (value.length > COPY_BELOW) {
      this.message(number, [value]);
      return;
    }
    const start = this.reserve(2 * MAX_VARINT_BYTES + value.length);
    let at = writeVarint(this.scratch, start, tag(number, WireType.LEN));
    at = writeVarint(this.scratch, at, value.length);
    at += value.copy(this.scratch, at);
    this.added(start, at, number, false);
  }

  /** Adds a message field whose encoding lies in slices, such as another writer's output. */
  message(number: number, slices: readonly Buffer[]): void {
    let length = 0;
    for (const slice of slices) length += slice.length;
    const start = this.reserve(2 * MAX_VARINT_BYTES);
    let at = writeVarint(this.scratch, start, tag(number, WireType.LEN));
    at = writeVarint(this.scratch, at, length);
    this.added(start, at, number, length > 0);
    for (const slice of slices) if (slice.length > 0) this.add(slice, 0, slice.length, number, true);
  }

  /**
   * The message as slices; an empty message is an empty list. The writer must not be used afterwards.
   * @throws WireError `too-many-pieces` when fields that came out of order make too many.
   */
  finish(): Buffer[] {
    const pieces = this.sorted ? this.pieces : sortPieces(this.pieces, this.maxPieces);
    return pieces.map(({ buffer, start, end }) =>
      start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end),
    );
  }

  /** The message in one buffer; copies, unless it lies in one piece. */
  toBuffer(): Buffer {
    const slices = this.finish();
    return slices.length === 1 ? slices[0]! : Buffer.concat(slices, this.length);
  }

  private reserve(bytes: number): number {
    if (this.scratch.length - this.used < bytes) {
      // Out of Node's pool, as long as it is short: most messages are, and memory of their own costs more than they do.
      this.scratch = Buffer.allocUnsafe(Math.max(bytes, SCRATCH_BYTES, 2 * this.scratch.length));
      this.used = 0;
    }
    return this.used;
  }

  private added(start: number, end: number, number: number, part: boolean): void {
    this.used = end;
    this.add(this.scratch, start, end, number, part);
  }

  private add(buffer: Buffer, start: number, end: number, number: number, part: boolean): void {
    this.length += end - start;
    const last = this.pieces.at(-1);
    if (last !== undefined && last.lastNumber > number) this.sorted = false;
    append(
      this.pieces,
      { buffer, start, end, firstNumber: number, lastNumber: number, part },
      this.maxPieces,
    );
  }
}

function tag(number: number, wireType: number): number {
  return number * 8 + wireType;
}

/** Adds a piece to a list, or lengthens the last one if both are whole fields in a row. */
function append(pieces: Piece[], piece: Piece, maxPieces: number): void {
  const last = pieces.at(-1);
  if (
    last !== undefined &&
    !last.part &&
    !piece.part &&
    last.buffer === piece.buffer &&
    last.end === piece.start &&
    last.lastNumber <= piece.firstNumber
  ) {
    last.end = piece.end;
    last.lastNumber = piece.lastNumber;
    return;
  }
  if (pieces.length >= maxPieces) {
    throw new WireError("too-many-pieces", `a message would consist of more than ${maxPieces} pieces`);
  }
  pieces.push(piece);
}

/** Takes pieces apart into fields and puts these in order; fields of one number keep theirs. */
function sortPieces(pieces: readonly Piece[], maxPieces: number): Piece[] {
  const byNumber = new Map<number, Piece[]>();
  let left = maxPieces;
  const put = (piece: Piece): void => {
    const list = byNumber.get(piece.firstNumber) ?? [];
    byNumber.set(piece.firstNumber, list);
    const before = list.length;
    append(list, piece, before + left);
    left -= list.length - before;
  };
  for (const piece of pieces) {
    if (piece.part || piece.firstNumber === piece.lastNumber) {
      put({ ...piece });
      continue;
    }
    const field = new Walker(piece.buffer, piece.start, piece.end);
    while (field.next()) {
      const { number, fieldStart, fieldEnd } = field;
      put({
        buffer: piece.buffer,
        start: fieldStart,
        end: fieldEnd,
        firstNumber: number,
        lastNumber: number,
        part: false,
      });
    }
  }
  const sorted: Piece[] = [];
  for (const number of [...byNumber.keys()].sort((a, b) => a - b)) {
    for (const piece of byNumber.get(number)!) append(sorted, piece, maxPieces);
  }
  return sorted;
}
