import { ErrorCode } from "./constants.ts";

/** Frames one header block may come in; at the protocol's frame size a block of the default limit takes seventeen. */
const MAX_FRAMES = 256;

/** Gathers a header block that comes as HEADERS and CONTINUATION frames (RFC 9113 section 6.10). */
export class HeaderBlock {
  private readonly maxBytes: number;
  private parts: Buffer[] = [];
  private bytes = 0;
  /** The stream whose block is incomplete, or 0. While it is not 0 nothing but its CONTINUATION may come. */
  streamId = 0;
  /** True if the block ends its stream. */
  fin = false;

  /** `maxBytes` bounds the encoded block. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Starts with the fragment of a HEADERS frame that lacks END_HEADERS. */
  begin(streamId: number, fin: boolean, buffer: Buffer, start: number, end: number): number {
    this.streamId = streamId;
    this.fin = fin;
    return this.add(buffer, start, end);
  }

  /** Adds a fragment. Returns the code to fail the connection with, or NO_ERROR: past the limit the block cannot be skipped. */
  add(buffer: Buffer, start: number, end: number): number {
    this.bytes += end - start;
    if (this.bytes > this.maxBytes || this.parts.length >= MAX_FRAMES) return ErrorCode.ENHANCE_YOUR_CALM;
    this.parts.push(Buffer.from(buffer.subarray(start, end)));
    return ErrorCode.NO_ERROR;
  }

  /** The whole block; the gatherer is empty afterwards. */
  finish(): Buffer {
    const block = Buffer.concat(this.parts, this.bytes);
    this.parts = [];
    this.bytes = 0;
    this.streamId = 0;
    return block;
  }
}
