import type { Block } from "./block.ts";
import { Flag, FRAME_HEADER, FrameType, MAX_FRAME_PAYLOAD } from "./constants.ts";
import { currentRead } from "./current-read.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";
import type { Field } from "./hpack/field.ts";
import type { Output } from "./output.ts";

/** Writes frames to one connection's output. It knows sizes and layouts, not whether a frame is allowed now. */
export class FrameWriter {
  private readonly output: Output;
  private readonly encoder: HpackEncoder;

  constructor(output: Output, encoder: HpackEncoder) {
    this.output = output;
    this.encoder = encoder;
  }

  /**
   * Writes `buffer[start,end)`, at most 16 KiB, as one DATA frame. With `headroom` the frame header goes into the nine bytes before
   * `start`, which saves a piece in the write vector; the caller vouches that nobody needs them. `owner` is the block the bytes lie in, if they
   * were not read just now.
   */
  data(
    streamId: number,
    buffer: Buffer,
    start: number,
    end: number,
    fin: boolean,
    headroom: boolean,
    owner: Block | null,
  ): void {
    const { output } = this;
    const flags = fin ? Flag.END_STREAM : 0;
    const read = buffer === currentRead.buffer;
    const block = read ? currentRead.block : owner;
    const volatile = read && currentRead.volatile;
    if (headroom && start >= FRAME_HEADER) {
      const at = start - FRAME_HEADER;
      putFrameHeader(buffer, at, end - start, FrameType.DATA, flags, streamId);
      output.append(buffer, at, end, block, volatile);
      return;
    }
    const at = output.reserve(FRAME_HEADER);
    putFrameHeader(output.buffer, at, end - start, FrameType.DATA, flags, streamId);
    if (start < end) output.append(buffer, start, end, block, volatile);
  }

  /** Writes a header list as HEADERS, and CONTINUATION where it exceeds a frame. */
  headers(streamId: number, fields: readonly Field[], fin: boolean): void {
    const { output, encoder } = this;
    const bound = encoder.sizeBound(fields);
    const flags = fin ? Flag.END_STREAM : 0;
    if (bound > MAX_FRAME_PAYLOAD) {
      this.longHeaders(streamId, fields, flags, bound);
      return;
    }
    const at = output.reserve(FRAME_HEADER + bound);
    const buffer = output.buffer;
    const end = encoder.encode(fields, buffer, at + FRAME_HEADER);
    output.unreserve(at + FRAME_HEADER + bound - end);
    putFrameHeader(
      buffer,
      at,
      end - at - FRAME_HEADER,
      FrameType.HEADERS,
      flags | Flag.END_HEADERS,
      streamId,
    );
  }

  /** Writes RST_STREAM. */
  reset(streamId: number, code: number): void {
    const at = this.control(FrameType.RST_STREAM, 0, streamId, 4);
    this.output.buffer.writeUInt32BE(code >>> 0, at);
  }

  /** Writes WINDOW_UPDATE; stream 0 is the connection. */
  windowUpdate(streamId: number, increment: number): void {
    const at = this.control(FrameType.WINDOW_UPDATE, 0, streamId, 4);
    this.output.buffer.writeUInt32BE(increment, at);
  }

  /** Writes PING with the eight bytes at `payload[start]`. */
  ping(ack: boolean, payload: Buffer, start: number): void {
    const at = this.control(FrameType.PING, ack ? Flag.ACK : 0, 0, 8);
    payload.copy(this.output.buffer, at, start, start + 8);
  }

  /** Writes the acknowledgement of a SETTINGS frame. */
  settingsAck(): void {
    this.control(FrameType.SETTINGS, Flag.ACK, 0, 0);
  }

  /** Writes GOAWAY; `debug` is cut at 1 KiB. */
  goAway(lastStreamId: number, code: number, debug: string): void {
    const text = Buffer.from(debug.slice(0, 1024), "latin1");
    const at = this.control(FrameType.GOAWAY, 0, 0, 8 + text.length);
    this.output.buffer.writeUInt32BE(lastStreamId, at);
    this.output.buffer.writeUInt32BE(code, at + 4);
    text.copy(this.output.buffer, at + 8);
  }

  /** Writes bytes that are frames already. */
  raw(frames: Buffer): void {
    this.output.append(frames, 0, frames.length, null, true);
  }

  private control(type: number, flags: number, streamId: number, length: number): number {
    const at = this.output.reserve(FRAME_HEADER + length);
    putFrameHeader(this.output.buffer, at, length, type, flags, streamId);
    return at + FRAME_HEADER;
  }

  private longHeaders(streamId: number, fields: readonly Field[], flags: number, bound: number): void {
    const block = Buffer.allocUnsafe(bound);
    const length = this.encoder.encode(fields, block, 0);
    let type: number = FrameType.HEADERS;
    let frameFlags = flags;
    let at = 0;
    do {
      const end = Math.min(length, at + MAX_FRAME_PAYLOAD);
      if (end === length) frameFlags |= Flag.END_HEADERS;
      const header = this.output.reserve(FRAME_HEADER);
      putFrameHeader(this.output.buffer, header, end - at, type, frameFlags, streamId);
      this.output.append(block, at, end, null, false);
      type = FrameType.CONTINUATION;
      frameFlags = 0;
      at = end;
    } while (at < length);
  }
}

function putFrameHeader(
  buffer: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  buffer[at] = length >>> 16;
  buffer[at + 1] = length >>> 8;
  buffer[at + 2] = length;
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  buffer[at + 5] = streamId >>> 24;
  buffer[at + 6] = streamId >>> 16;
  buffer[at + 7] = streamId >>> 8;
  buffer[at + 8] = streamId;
}
