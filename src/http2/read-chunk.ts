/** Free bytes kept before the first byte read, so that a frame header can be put in front of a payload without copying it. */
export const HEADROOM = 16;

/**
 * A buffer that a socket reads into and that writes may still refer to. It goes back into use once nothing pins it.
 */
export class ReadChunk {
  readonly buffer: Buffer;
  /** The part of `buffer` behind the headroom, which the socket fills. */
  readonly target: Buffer;
  private pins = 0;
  private readonly pool: ReadChunk[];

  constructor(bytes: number, pool: ReadChunk[]) {
    this.buffer = Buffer.allocUnsafeSlow(HEADROOM + bytes);
    this.target = this.buffer.subarray(HEADROOM);
    this.pool = pool;
  }

  /** True while a write that has not finished refers to this chunk: its bytes must not change. */
  get pinned(): boolean {
    return this.pins > 0;
  }

  /** Keeps the bytes as they are until `unpin`. */
  pin(): void {
    this.pins++;
  }

  /** Ends one `pin`; the last one returns the chunk to its pool. */
  unpin(): void {
    if (--this.pins === 0 && this.pool.length < MAX_POOLED) this.pool.push(this);
  }
}

/** Idle chunks kept for reuse: 16 x 256 KiB. */
const MAX_POOLED = 16;
