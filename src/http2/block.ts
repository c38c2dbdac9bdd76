import { HEADROOM } from "./headroom.ts";

/** Memory that is used again: filled from one socket, and referred to until every write of it is done. */
export class Block {
  readonly buffer: Buffer;
  /** The part of `buffer` behind the headroom. */
  readonly body: Buffer;
  private readonly pool: BlockPool;
  private pins = 1;

  constructor(pool: BlockPool, bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(HEADROOM + bytes);
    this.body = this.buffer.subarray(HEADROOM);
    this.pool = pool;
  }

  /** True while more than one pins it. */
  get shared(): boolean {
    return this.pins > 1;
  }

  /** Keeps the bytes as they are until `unpin`. */
  pin(): void {
    this.pins++;
  }

  /** Ends one pin; the last one makes the block available again. */
  unpin(): void {
    if (--this.pins > 0) return;
    this.pins = 1;
    this.pool.give(this);
  }
}

/** Blocks of one size. */
export class BlockPool {
  private readonly bytes: number;
  private readonly most: number;
  private readonly idle: Block[] = [];

  /** `bytes` behind the headroom of each block; at most `most` idle ones are kept. */
  constructor(bytes: number, most: number) {
    this.bytes = bytes;
    this.most = most;
  }

  /** A block that is pinned once, by the caller. */
  take(): Block {
    return this.idle.pop() ?? new Block(this, this.bytes);
  }

  /** Takes back a block that nobody pins. */
  give(block: Block): void {
    if (this.idle.length < this.most) this.idle.push(block);
  }
}
