import { ErrorCode, Flag, FRAME_HEADER, FrameType, MAX_FRAME_PAYLOAD, PREFACE } from "./constants.ts";

/** What a parser reports to. */
export interface FrameHandler {
  /**
   * A part of a DATA frame, `buffer[start,end)`. `fin` comes with the last part of a frame that ends the stream; `padding` counts the
   * bytes of the frame that are flow-controlled but not data. The nine bytes before `start` are free to be overwritten if
   * `start` is at least nine.
   */
  onData(streamId: number, buffer: Buffer, start: number, end: number, fin: boolean, padding: number): void;
  /** Any other frame, whole; its payload is `buffer[start,end)`. */
  onFrame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void;
  /** The bytes are not HTTP/2, or not of a size the bridge accepts; the parser must be fed no more. */
  onViolation(code: number, why: string): void;
}

/**
 * Splits a byte stream into HTTP/2 frames (RFC 9113 section 4.1) where it lies. DATA is reported as it arrives, in parts if need
 * be; of any other frame that is cut by the end of a read at most 16 KiB are kept until the rest comes.
 */
export class FrameParser {
  private readonly handler: FrameHandler;
  private stash: Buffer | null = null;
  private stashed = 0;
  /** Bytes of the preface still expected. */
  private preface: number;
  private dataLeft = 0;
  private dataStream = 0;
  private dataFin = false;
  private stopped = false;

  /** `server` parsers expect the client's connection preface first. */
  constructor(handler: FrameHandler, server: boolean) {
    this.handler = handler;
    this.preface = server ? PREFACE.length : 0;
  }

  /** Ends parsing: whatever is left in the buffer being fed is dropped. */
  stop(): void {
    this.stopped = true;
    this.stash = null;
  }

  /** Takes the bytes `buffer[start,end)`. */
  feed(buffer: Buffer, start: number, end: number): void {
    let at = start;
    if (this.preface > 0) at = this.matchPreface(buffer, at, end);
    if (this.stashed > 0) at = this.completeStash(buffer, at, end);
    if (this.dataLeft > 0 && at < end) at = this.continueData(buffer, at, end);
    while (!this.stopped && end - at >= FRAME_HEADER) {
      const length = (buffer[at]! << 16) | (buffer[at + 1]! << 8) | buffer[at + 2]!;
      const next = at + FRAME_HEADER + length;
      const type = buffer[at + 3]!;
      if (length > MAX_FRAME_PAYLOAD) return this.tooLong(type, length);
      if (next > end) {
        if (type === FrameType.DATA && (buffer[at + 4]! & Flag.PADDED) === 0) {
          this.beginData(buffer, at, length, end);
          return;
        }
        break;
      }
      this.dispatch(buffer, at, next);
      at = next;
    }
    if (at < end && !this.stopped) this.keep(buffer, at, end);
  }

  private dispatch(buffer: Buffer, at: number, next: number): void {
    const flags = buffer[at + 4]!;
    const streamId = readStreamId(buffer, at);
    if (buffer[at + 3] !== FrameType.DATA) {
      this.handler.onFrame(buffer[at + 3]!, flags, streamId, buffer, at + FRAME_HEADER, next);
      return;
    }
    let start = at + FRAME_HEADER;
    let end = next;
    if ((flags & Flag.PADDED) !== 0) {
      if (start === end)
        return this.violation(ErrorCode.FRAME_SIZE_ERROR, "padded DATA frame without a pad length");
      end -= buffer[start]!;
      start++;
      if (end < start)
        return this.violation(ErrorCode.PROTOCOL_ERROR, "DATA frame with more padding than payload");
    }
    const padding = next - at - FRAME_HEADER - (end - start);
    this.handler.onData(streamId, buffer, start, end, (flags & Flag.END_STREAM) !== 0, padding);
  }

  private beginData(buffer: Buffer, at: number, length: number, end: number): void {
    this.dataStream = readStreamId(buffer, at);
    this.dataFin = (buffer[at + 4]! & Flag.END_STREAM) !== 0;
    this.dataLeft = length;
    if (at + FRAME_HEADER < end) this.continueData(buffer, at + FRAME_HEADER, end);
  }

  private continueData(buffer: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.dataLeft);
    this.dataLeft -= next - at;
    this.handler.onData(this.dataStream, buffer, at, next, this.dataFin && this.dataLeft === 0, 0);
    return next;
  }

  private keep(buffer: Buffer, at: number, end: number): void {
    this.stash ??= Buffer.allocUnsafeSlow(FRAME_HEADER + MAX_FRAME_PAYLOAD);
    buffer.copy(this.stash, this.stashed, at, end);
    this.stashed += end - at;
  }

  private completeStash(buffer: Buffer, start: number, end: number): number {
    const stash = this.stash!;
    let at = start;
    if (this.stashed < FRAME_HEADER) {
      const to = Math.min(end, at + FRAME_HEADER - this.stashed);
      this.keep(buffer, at, to);
      at = to;
      if (this.stashed < FRAME_HEADER) return at;
    }
    const length = stash.readUIntBE(0, 3);
    if (length > MAX_FRAME_PAYLOAD) {
      this.tooLong(stash[3]!, length);
      return end;
    }
    if (stash[3] === FrameType.DATA && (stash[4]! & Flag.PADDED) === 0 && length > 0) {
      this.stashed = 0;
      this.stash = null;
      this.beginData(stash, 0, length, FRAME_HEADER);
      return at;
    }
    const to = Math.min(end, at + FRAME_HEADER + length - this.stashed);
    this.keep(buffer, at, to);
    if (this.stashed === FRAME_HEADER + length) {
      this.stashed = 0;
      this.stash = null;
      this.dispatch(stash, 0, FRAME_HEADER + length);
    }
    return to;
  }

  private matchPreface(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (this.preface > 0 && at < end) {
      if (buffer[at] !== PREFACE[PREFACE.length - this.preface]) {
        this.violation(ErrorCode.PROTOCOL_ERROR, "the connection preface is not HTTP/2");
        return end;
      }
      at++;
      this.preface--;
    }
    return at;
  }

  private tooLong(type: number, length: number): void {
    this.violation(
      ErrorCode.FRAME_SIZE_ERROR,
      `frame of type ${type} with ${length} bytes; the limit is ${MAX_FRAME_PAYLOAD}`,
    );
  }

  private violation(code: number, why: string): void {
    this.stop();
    this.handler.onViolation(code, why);
  }
}

function readStreamId(buffer: Buffer, at: number): number {
  return (
    ((buffer[at + 5]! & 0x7f) << 24) | (buffer[at + 6]! << 16) | (buffer[at + 7]! << 8) | buffer[at + 8]!
  );
}
