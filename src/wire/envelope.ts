/** The gRPC envelope: each message is preceded by a flag byte and its length in four bytes, big-endian. */
import { WireError } from "./wire-error.ts";

/** Bytes before each message. */
export const PREFIX_BYTES = 5;

/** The longest message a prefix can announce. */
export const MAX_DECLARED_BYTES = 0xffff_ffff;

/** What an {@link EnvelopeParser} reports to. A handler must not feed the parser that is calling it. */
export interface EnvelopeHandler {
  /** A prefix is complete; `length` bytes follow, encoded as `grpc-encoding` says if `compressed`. */
  begin(length: number, compressed: boolean): void;
  /** A part of the message, `buffer[start,end)`, never empty, valid as long as what was fed. */
  bytes(buffer: Buffer, start: number, end: number): void;
  /** The message is complete. */
  end(): void;
}

/**
 * Finds the messages in a stream of bytes cut anywhere. It copies nothing and holds at most one prefix. `maxMessageBytes` is
 * enforced when the prefix is complete, before `begin` is called: nobody ever hears of a message that is too long.
 */
export class EnvelopeParser {
  private readonly handler: EnvelopeHandler;
  private readonly maxMessageBytes: number;
  /** Bytes of the prefix seen; 0 between messages and inside one. */
  private prefixed = 0;
  private compressed = false;
  private length = 0;
  /** Bytes of the message still to come. */
  private left = 0;

  constructor(handler: EnvelopeHandler, maxMessageBytes: number) {
    this.handler = handler;
    this.maxMessageBytes = maxMessageBytes;
  }

  /** Whether the next byte, if any, begins an envelope. */
  get idle(): boolean {
    return this.prefixed === 0 && this.left === 0;
  }

  /**
   * Takes the bytes `chunk[start,end)`.
   * @throws WireError `envelope-flag` or `message-too-large`; the parser must be fed no more.
   */
  feed(chunk: Buffer, start = 0, end = chunk.length): void {
    let at = start;
    while (at < end) {
      if (this.left === 0) {
        at = this.feedPrefix(chunk, at, end);
        continue;
      }
      const next = Math.min(end, at + this.left);
      this.left -= next - at;
      this.handler.bytes(chunk, at, next);
      if (this.left === 0) this.handler.end();
      at = next;
    }
  }

  /**
   * Says that no more bytes will come.
   * @throws WireError `truncated` if a message or its prefix is incomplete.
   */
  finish(): void {
    if (this.prefixed > 0) {
      throw new WireError(
        "truncated",
        `the stream ended after ${this.prefixed} of the 5 bytes before a message`,
      );
    }
    if (this.left > 0) {
      const arrived = this.length - this.left;
      throw new WireError(
        "truncated",
        `the stream ended after ${arrived} of ${this.length} bytes of a message`,
      );
    }
  }

  private feedPrefix(chunk: Buffer, start: number, end: number): number {
    let at = start;
    if (this.prefixed === 0) {
      const flag = chunk[at++]!;
      if (flag > 1) {
        throw new WireError(
          "envelope-flag",
          `a gRPC message begins with flag byte ${flag}; only 0 and 1 exist`,
        );
      }
      this.compressed = flag === 1;
      this.length = 0;
      this.prefixed = 1;
    }
    while (at < end && this.prefixed < PREFIX_BYTES) {
      this.length = this.length * 256 + chunk[at++]!;
      this.prefixed++;
    }
    if (this.prefixed === PREFIX_BYTES) this.begin();
    return at;
  }

  private begin(): void {
    const { length } = this;
    if (length > this.maxMessageBytes) {
      throw new WireError(
        "message-too-large",
        `a message of ${length} bytes was announced; the limit is ${this.maxMessageBytes} bytes`,
      );
    }
    this.prefixed = 0;
    this.left = length;
    this.handler.begin(length, this.compressed);
    if (length === 0) this.handler.end();
  }
}

/** Writes the prefix of a message of `length` bytes (at most {@link MAX_DECLARED_BYTES}) at `target[at, at + 5)`. */
export function writePrefix(target: Buffer, at: number, length: number, compressed = false): void {
  target[at] = compressed ? 1 : 0;
  target.writeUInt32BE(length, at + 1);
}

/** A whole envelope around a message that may lie in several slices: the prefix, then the slices themselves. */
export function envelope(message: readonly Buffer[], compressed = false): Buffer[] {
  let length = 0;
  for (const slice of message) length += slice.length;
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  writePrefix(prefix, 0, length, compressed);
  return [prefix, ...message];
}
