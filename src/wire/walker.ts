/**
 * Walks the fields of a protobuf message where it lies, without a schema (drift.md R1).
 *
 *     const field = new Walker(bytes);
 *     while (field.next()) if (field.number === 2) return field.text();
 */
import { isUtf8 } from "node:buffer";
import { WireError } from "./wire-error.ts";

/** The wire types of protobuf. */
export const WireType = { VARINT: 0, I64: 1, LEN: 2, GROUP: 3, GROUP_END: 4, I32: 5 } as const;

/** How deep messages and groups may lie inside one another unless a walker is told otherwise; protobuf's usual limit. */
export const MAX_DEPTH = 100;

/**
 * A cursor over the fields of one message, `buffer[from,to)`. It is itself the current field after {@link next} returned true; nothing
 * is allocated for a field and no payload is copied. A group is one field. Methods that read a value check its wire type.
 */
export class Walker {
  buffer: Buffer;
  /** Field number, 1 … 2^29-1. */
  number = 0;
  /** One of {@link WireType}; never GROUP_END. */
  wireType = 0;
  /** The whole field, tag included: `buffer[fieldStart,fieldEnd)`. */
  fieldStart = 0;
  fieldEnd: number;
  /** Its payload, `buffer[start,end)`: the bytes of a varint or fixed value, or what a length or a group encloses. */
  start = 0;
  end = 0;
  private to: number;
  private depthLeft: number;
  /** Read position while a field is being taken apart. */
  private at = 0;

  /** `depthLeft` says how many levels of nested messages and groups may follow. */
  constructor(buffer: Buffer, from = 0, to = buffer.length, depthLeft: number = MAX_DEPTH) {
    this.buffer = buffer;
    this.fieldEnd = from;
    this.to = to;
    this.depthLeft = depthLeft;
  }

  /**
   * Moves to the next field; false at the end of the message.
   * @throws WireError `truncated`, `varint`, `field-number`, `wire-type` or `too-deep`.
   */
  next(): boolean {
    const start = this.fieldEnd;
    if (start >= this.to) return false;
    this.fieldStart = start;
    if (this.nextShort(start)) return true;
    this.at = start;
    const tag = this.readUint32("tag");
    this.wireType = tag & 7;
    this.number = tag >>> 3;
    if (this.number === 0) throw new WireError("field-number", `field number 0 at byte ${start}`);
    if (this.wireType === WireType.GROUP) {
      this.start = this.at;
      this.end = this.skipGroup(this.number);
    } else {
      this.skipValue(this.wireType);
    }
    this.fieldEnd = this.at;
    return true;
  }

  /** Takes the commonest fields, with tag and length in a byte each or a varint of two bytes at most, without the general machinery. */
  private nextShort(start: number): boolean {
    const { buffer, to } = this;
    if (start + 3 > to) return false;
    const tag = buffer[start]!;
    const second = buffer[start + 1]!;
    if (tag < 8 || tag >= 0x80) return false;
    const wireType = tag & 7;
    if (wireType === WireType.LEN) {
      const end = start + 2 + second;
      if (second >= 0x80 || end > to) return false;
      this.start = start + 2;
      this.end = end;
      this.fieldEnd = end;
    } else if (wireType === WireType.VARINT) {
      let end = start + 2;
      if (second >= 0x80 && buffer[end++]! >= 0x80) return false;
      this.start = start + 1;
      this.end = end;
      this.fieldEnd = end;
    } else {
      return false;
    }
    this.number = tag >>> 3;
    this.wireType = wireType;
    return true;
  }

  /** The varint as an unsigned 64-bit integer. @throws WireError `wire-type`. */
  uint64(): bigint {
    this.expect(WireType.VARINT);
    let value = 0n;
    for (let at = this.start, shift = 0n; at < this.end; at++, shift += 7n) {
      value |= BigInt(this.buffer[at]! & 0x7f) << shift;
    }
    return BigInt.asUintN(64, value);
  }

  /** The varint as a signed 64-bit integer. @throws WireError `wire-type`. */
  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /**
   * The varint as a signed integer that a number holds exactly.
   * @throws WireError `wire-type`, or `varint` if it is beyond ±(2^53-1).
   */
  integer(): number {
    this.expect(WireType.VARINT);
    let value = 0;
    if (this.end - this.start <= 7) {
      for (let at = this.start, scale = 1; at < this.end; at++, scale *= 128) {
        value += (this.buffer[at]! & 0x7f) * scale;
      }
      return value;
    }
    value = Number(this.int64());
    if (!Number.isSafeInteger(value)) {
      throw new WireError("varint", `field ${this.number} holds an integer beyond 2^53`);
    }
    return value;
  }

  /** The varint as an int32 or an enum: its low 32 bits, signed, as every protobuf implementation reads it. @throws WireError `wire-type`. */
  int32(): number {
    this.expect(WireType.VARINT);
    let value = 0;
    const end = Math.min(this.end, this.start + 5);
    for (let at = this.start, shift = 0; at < end; at++, shift += 7)
      value |= (this.buffer[at]! & 0x7f) << shift;
    return value;
  }

  /** The varint as a bool. @throws WireError `wire-type`. */
  bool(): boolean {
    this.expect(WireType.VARINT);
    for (let at = this.start; at < this.end; at++) if ((this.buffer[at]! & 0x7f) !== 0) return true;
    return false;
  }

  /** The payload as text. @throws WireError `wire-type`, or `utf8` where a string must be UTF-8 and is not. */
  text(): string {
    this.expect(WireType.LEN);
    const bytes = this.buffer.subarray(this.start, this.end);
    if (!isUtf8(bytes)) throw new WireError("utf8", `the text in field ${this.number} is not UTF-8`);
    return bytes.toString("utf8");
  }

  /** The payload of a length-delimited field: a view that keeps the message in memory. @throws WireError `wire-type`. */
  bytes(): Buffer {
    this.expect(WireType.LEN);
    return this.buffer.subarray(this.start, this.end);
  }

  /**
   * A walker over the message in this field: a new one, or `reuse`, which then must not be in use further up.
   * @throws WireError `wire-type` or `too-deep`.
   */
  enter(reuse?: Walker): Walker {
    this.expect(WireType.LEN);
    if (this.depthLeft <= 0) throw tooDeep(this.start);
    if (reuse === undefined) return new Walker(this.buffer, this.start, this.end, this.depthLeft - 1);
    reuse.buffer = this.buffer;
    reuse.fieldEnd = this.start;
    reuse.to = this.end;
    reuse.depthLeft = this.depthLeft - 1;
    return reuse;
  }

  private expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw new WireError(
        "wire-type",
        `field ${this.number} has wire type ${this.wireType}, not ${wireType}`,
      );
    }
  }

  /** Steps over a value at `at` that is not a group, and notes where its payload lies. */
  private skipValue(wireType: number): void {
    switch (wireType) {
      case WireType.VARINT:
        this.start = this.at;
        this.skipVarint();
        break;
      case WireType.LEN: {
        const length = this.readUint32("length");
        this.start = this.at;
        this.advance(length);
        break;
      }
      case WireType.I64:
      case WireType.I32:
        this.start = this.at;
        this.advance(wireType === WireType.I64 ? 8 : 4);
        break;
      case WireType.GROUP_END:
        throw new WireError("wire-type", `a group ends before byte ${this.at} that did not begin`);
      default:
        throw new WireError("wire-type", `wire type ${wireType} before byte ${this.at}; protobuf has 0 to 5`);
    }
    this.end = this.at;
  }

  /** Steps over the rest of a group whose tag was read; returns where its content ends. */
  private skipGroup(number: number): number {
    const start = this.at;
    const open = [number];
    while (true) {
      if (open.length > this.depthLeft) throw tooDeep(this.at);
      const tagStart = this.at;
      if (tagStart >= this.to) throw new WireError("truncated", `the message ends inside group ${number}`);
      const tag = this.readUint32("tag");
      if (tag >>> 3 === 0) throw new WireError("field-number", `field number 0 at byte ${tagStart}`);
      if ((tag & 7) === WireType.GROUP) {
        open.push(tag >>> 3);
      } else if ((tag & 7) !== WireType.GROUP_END) {
        this.skipValue(tag & 7);
      } else if (open.pop() !== tag >>> 3) {
        throw new WireError("wire-type", `group ${tag >>> 3} ends at byte ${tagStart} inside another`);
      } else if (open.length === 0) {
        this.start = start;
        return tagStart;
      }
    }
  }

  private advance(length: number): void {
    if (length > this.to - this.at) {
      throw new WireError(
        "truncated",
        `a field at byte ${this.fieldStart} needs ${length} bytes; ${this.to - this.at} are left`,
      );
    }
    this.at += length;
  }

  private skipVarint(): void {
    const { buffer, to } = this;
    const last = this.at + 9;
    let at = this.at;
    while (at < to) {
      const byte = buffer[at]!;
      if (byte < 0x80) {
        if (at === last && byte > 1) break;
        this.at = at + 1;
        return;
      }
      if (at === last) break;
      at++;
    }
    if (at >= to) throw new WireError("truncated", `the message ends inside an integer at byte ${this.at}`);
    throw new WireError("varint", `the integer at byte ${this.at} has more than 64 bits`);
  }

  /** A tag or a length. Longer forms of a small number are legal up to five bytes. */
  private readUint32(what: string): number {
    const { buffer, to } = this;
    const start = this.at;
    if (start < to && buffer[start]! < 0x80) {
      this.at = start + 1;
      return buffer[start]!;
    }
    let value = 0;
    for (let at = start, scale = 1; at < to; at++, scale *= 128) {
      const byte = buffer[at]!;
      if (at === start + 4 && byte > 0x0f) {
        throw new WireError("varint", `the ${what} at byte ${start} has more than 32 bits`);
      }
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = at + 1;
        return value;
      }
    }
    throw new WireError("truncated", `the message ends inside the ${what} at byte ${start}`);
  }
}

function tooDeep(at: number): WireError {
  return new WireError("too-deep", `messages are nested too deep at byte ${at}`);
}
