import assert from "node:assert/strict";
import { Bit, type Frame, FrameReader, PREFACE, Type } from "../support/raw-h2/frames.ts";
import { HpackDecoder } from "../support/raw-h2/hpack.ts";

/** Reads what a connection writes and fails if a peer could not, or did not allow it (RFC 9113 sections 4 to 6). */
export class WrittenFrames {
  private readonly reader = new FrameReader();
  private readonly heard = new FrameReader();
  private readonly decoder = new HpackDecoder();
  private readonly server: boolean;
  private readonly reset = new Set<number>();
  private readonly ended = new Set<number>();
  private readonly opened = new Set<number>();
  private block: Buffer[] | null = null;
  private credit = 65_535;
  private preface: number;
  private over = false;

  /** `server` tells which end writes. */
  constructor(server: boolean) {
    this.server = server;
    this.preface = server ? 0 : PREFACE.length;
  }

  /** The peer sends `bytes`, which may grant windows. */
  granted(bytes: Buffer): void {
    const frames = this.server && this.preface === 0 ? bytes.subarray(this.skipPreface(bytes)) : bytes;
    for (const frame of this.heard.push(frames)) {
      if (frame.type === Type.WINDOW_UPDATE && frame.stream === 0 && frame.payload.length === 4)
        this.credit += frame.payload.readUInt32BE() & 0x7fff_ffff;
    }
  }

  /** Checks what was written. */
  take(bytes: Buffer): void {
    const skipped = Math.min(this.preface, bytes.length);
    this.preface -= skipped;
    for (const frame of this.reader.push(bytes.subarray(skipped))) this.check(frame);
  }

  private skipPreface(bytes: Buffer): number {
    return bytes.subarray(0, PREFACE.length).equals(PREFACE) ? PREFACE.length : 0;
  }

  private check(frame: Frame): void {
    const { type, flags, stream, payload } = frame;
    assert.ok(payload.length <= 16_384, `a frame of ${payload.length} bytes`);
    assert.ok(!this.over, `a frame of type ${type} after the last GOAWAY`);
    if (this.block !== null) assert.equal(type, Type.CONTINUATION, "something inside a header block");
    if (type === Type.GOAWAY) this.over = payload.readUInt32BE(4) !== 0;
    if (stream === 0) return;
    assert.ok(!this.reset.has(stream), `a frame of type ${type} on stream ${stream}, which was reset`);
    if (type === Type.RST_STREAM) this.reset.add(stream);
    if (type === Type.HEADERS) {
      this.opened.add(stream);
      this.block = [];
    }
    if (type === Type.DATA) {
      assert.ok(this.opened.has(stream), `data on stream ${stream} before its head`);
      this.credit -= payload.length;
      assert.ok(this.credit >= 0, "more data than the connection's window allows");
    }
    if (type === Type.DATA || type === Type.HEADERS) {
      assert.ok(!this.ended.has(stream), `a frame of type ${type} after the end of stream ${stream}`);
      if ((flags & Bit.END_STREAM) !== 0) this.ended.add(stream);
    }
    if (this.block !== null) this.gather(this.block, frame);
  }

  private gather(block: Buffer[], { flags, payload }: Frame): void {
    block.push(payload);
    if ((flags & Bit.END_HEADERS) === 0) return;
    this.block = null;
    this.decoder.decode(Buffer.concat(block));
  }
}
