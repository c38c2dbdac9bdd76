/** Free bytes kept before the first byte read, so that a frame header can be put in front of a payload without copying it. */
export const HEADROOM = 16;

/** Idle chunks kept for reuse. */
const MAX_POOLED = 16;
/** Bytes of a chunk that a socket may fill: one read of a fast peer. */
const CHUNK = 256 * 1024;
const pool: ReadChunk[] = [];

/** A buffer that a socket reads into and that writes may still refer to. It goes back into use once nothing pins it. */
export class ReadChunk {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(HEADROOM + CHUNK);
  /** The part of `buffer` behind the headroom, which the socket fills. */
  readonly target: Buffer = this.buffer.subarray(HEADROOM);
  private pins = 1;

  /** A chunk pinned once, for its reader. */
  static take(): ReadChunk {
    const chunk = pool.pop();
    if (chunk === undefined) return new ReadChunk();
    chunk.pins = 1;
    return chunk;
  }

  /** True while something besides the reader refers to the bytes. */
  get shared(): boolean {
    return this.pins > 1;
  }

  /** Keeps the bytes as they are until `unpin`. */
  pin(): void {
    this.pins++;
  }

  /** Ends one `pin`; the last one makes the chunk available again. */
  unpin(): void {
    if (--this.pins === 0 && pool.length < MAX_POOLED) pool.push(this);
  }
}
