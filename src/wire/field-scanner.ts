import { MessageBuffer } from "./message-buffer.ts";
import { MAX_VARINT_BYTES } from "./varint.ts";
import { MAX_DEPTH, WireType } from "./walker.ts";
import { WireError } from "./wire-error.ts";

/** What a {@link FieldVisitor} wants done with the payload of a field. */
export const Take = {
  /** Nothing. */
  SKIP: 0,
  /** Collect it and show it. Whoever asks bounds the length first. */
  GATHER: 1,
  /** Visit its fields: it is a message (wire type LEN). */
  ENTER: 2,
} as const;

/** Sees the fields of a message as they pass. Either method may throw; the scanner must be fed no more then. */
export interface FieldVisitor {
  /**
   * A field begins: its tag and length are known. `length` is 0 for varints and groups, whose end is not known yet. `depth` is 0 for the fields
   * of the message itself. `offset` counts the bytes of the message before the field's tag. Returns one of {@link Take}.
   */
  field(number: number, wireType: number, length: number, depth: number, offset: number): number;
  /** The payload of a field that was to be gathered, as a {@link Walker} shows it; `offset` counts the bytes up to the field's end. */
  value(number: number, wireType: number, payload: Buffer, depth: number, offset: number): void;
}

interface Level {
  /** The offset of the end; Infinity for a group. */
  readonly end: number;
  /** The number of the group; 0 for a message. */
  readonly group: number;
  /** False inside of what is skipped. */
  readonly visited: boolean;
}

const State = { TAG: 0, LENGTH: 1, VARINT: 2, BYTES: 3 } as const;

/**
 * Walks the fields of one message that comes in pieces cut anywhere, without holding it: memory is what the visitor gathers. Broken
 * messages are recognised as by a {@link Walker}.
 */
export class FieldScanner {
  private readonly visitor: FieldVisitor;
  private readonly levels: Level[] = [{ end: Number.POSITIVE_INFINITY, group: 0, visited: true }];
  private state: number = State.TAG;
  private offset = 0;
  private fieldStart = 0;
  private number = 0;
  private wireType = 0;
  private readonly varint = Buffer.alloc(MAX_VARINT_BYTES);
  private varintBytes = 0;
  private take: number = Take.SKIP;
  private bytesLeft = 0;
  private gathered: MessageBuffer | null = null;
  private readonly lends: boolean;
  private lent: Buffer | null = null;

  /** With `lends`, payloads are shown where they lie if they came in one piece: valid until the visitor returns. */
  constructor(visitor: FieldVisitor, lends = false) {
    this.visitor = visitor;
    this.lends = lends;
  }

  /** Takes the next bytes of the message. @throws WireError `truncated`, `varint`, `field-number`, `wire-type` or `too-deep`. */
  feed(chunk: Buffer, start = 0, end = chunk.length): void {
    let at = start;
    while (at < end) {
      if (this.state === State.BYTES) {
        const next = Math.min(end, at + this.bytesLeft);
        if (this.gathered !== null) this.gather(this.gathered, chunk, at, next);
        this.bytesLeft -= next - at;
        this.offset += next - at;
        at = next;
        if (this.bytesLeft === 0) this.endBytes();
      } else {
        const next =
          this.state === State.TAG && this.varintBytes === 0 ? this.shortField(chunk, at, end) : at;
        if (next > at) at = next;
        else this.varintByte(chunk[at++]!);
      }
    }
  }

  /**
   * Takes a field with tag and length in a byte each, the commonest kind, without the general machinery; all of it if it is skipped and lies whole
   * in the chunk, else its beginning. Returns where it got to.
   */
  private shortField(chunk: Buffer, at: number, end: number): number {
    if (at + 2 > end) return at;
    const tag = chunk[at]!;
    const length = chunk[at + 1]!;
    if (tag < 8 || tag >= 0x80 || length >= 0x80 || (tag & 7) !== WireType.LEN) return at;
    const { level } = this;
    // What does not fit is for the general machinery to refuse.
    if (this.offset + 2 + length > level.end) return at;
    this.number = tag >>> 3;
    this.wireType = WireType.LEN;
    this.fieldStart = this.offset;
    this.offset += 2;
    this.take = this.announce(length);
    const next = at + 2 + length;
    if (this.take !== Take.SKIP || next > end) {
      this.startBytes(length);
      return at + 2;
    }
    this.offset += length;
    if (this.levels.length > 1) this.leave();
    return next;
  }

  /** The message is complete. @throws WireError `truncated`. */
  finish(): void {
    if (this.levels.length > 1 || this.state !== State.TAG || this.varintBytes > 0) {
      throw new WireError("truncated", "a message ends inside a field");
    }
  }

  private varintByte(byte: number): void {
    if (this.varintBytes === 0 && this.state === State.TAG) this.fieldStart = this.offset;
    if (this.offset >= this.level.end) throw new WireError("truncated", "a field reaches beyond its message");
    this.offset++;
    this.varint[this.varintBytes++] = byte;
    if (byte >= 0x80) {
      const most = this.state === State.VARINT ? MAX_VARINT_BYTES : 5;
      if (this.varintBytes === most) throw new WireError("varint", `a varint longer than ${most} bytes`);
      return;
    }
    const bytes = this.varintBytes;
    if (bytes === MAX_VARINT_BYTES && byte > 1) throw new WireError("varint", "an integer above 64 bits");
    this.varintBytes = 0;
    if (this.state === State.TAG) this.beginField(this.uint32(bytes));
    else if (this.state === State.LENGTH) this.beginBytes(this.uint32(bytes));
    else this.endVarint(bytes);
  }

  private beginField(tag: number): void {
    this.number = tag >>> 3;
    this.wireType = tag & 7;
    if (this.number === 0) throw new WireError("field-number", "field number 0");
    switch (this.wireType) {
      case WireType.VARINT:
        this.take = this.announce(0);
        this.state = State.VARINT;
        return;
      case WireType.LEN:
        this.state = State.LENGTH;
        return;
      case WireType.I32:
        return this.beginBytes(4);
      case WireType.I64:
        return this.beginBytes(8);
      case WireType.GROUP:
        this.announce(0);
        return this.enter(Number.POSITIVE_INFINITY, this.number, false);
      case WireType.GROUP_END:
        return this.endGroup();
      default:
        throw new WireError("wire-type", `wire type ${this.wireType} does not exist`);
    }
  }

  private beginBytes(length: number): void {
    if (this.offset + length > this.level.end)
      throw new WireError("truncated", "a field reaches beyond its message");
    this.take = this.announce(length);
    this.startBytes(length);
  }

  private startBytes(length: number): void {
    if (this.take === Take.ENTER && this.wireType === WireType.LEN) {
      this.state = State.TAG;
      this.enter(this.offset + length, 0, true);
      return this.leave();
    }
    this.state = State.BYTES;
    this.bytesLeft = length;
    if (this.take === Take.GATHER) this.gathered = new MessageBuffer(length);
    if (length === 0) this.endBytes();
  }

  private gather(gathered: MessageBuffer, chunk: Buffer, start: number, end: number): void {
    if (this.lends && end - start === gathered.length) this.lent = chunk.subarray(start, end);
    else gathered.append(chunk, start, end);
  }

  private endBytes(): void {
    this.state = State.TAG;
    const { gathered } = this;
    this.gathered = null;
    if (gathered !== null) this.show(this.lent ?? gathered.view());
    this.lent = null;
    this.leave();
  }

  private endVarint(bytes: number): void {
    this.state = State.TAG;
    if (this.take === Take.GATHER) this.show(Buffer.from(this.varint.subarray(0, bytes)));
    this.leave();
  }

  private endGroup(): void {
    const { group } = this.level;
    if (group !== this.number) throw new WireError("wire-type", "the end of a group that was not begun");
    this.levels.pop();
    this.leave();
  }

  private enter(end: number, group: number, visited: boolean): void {
    if (this.levels.length > MAX_DEPTH)
      throw new WireError("too-deep", `messages nested deeper than ${MAX_DEPTH}`);
    this.levels.push({ end: Math.min(end, this.level.end), group, visited: visited && this.level.visited });
  }

  /** Leaves the messages that end here. */
  private leave(): void {
    while (this.levels.length > 1 && this.level.group === 0 && this.level.end === this.offset)
      this.levels.pop();
  }

  private announce(length: number): number {
    if (!this.level.visited) return Take.SKIP;
    return this.visitor.field(this.number, this.wireType, length, this.levels.length - 1, this.fieldStart);
  }

  private show(payload: Buffer): void {
    this.visitor.value(this.number, this.wireType, payload, this.levels.length - 1, this.offset);
  }

  private get level(): Level {
    return this.levels[this.levels.length - 1]!;
  }

  private uint32(bytes: number): number {
    if (bytes === 5 && this.varint[4]! > 0x0f) throw new WireError("varint", "a tag or length above 32 bits");
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 128 + (this.varint[i]! & 0x7f);
    return value;
  }
}
