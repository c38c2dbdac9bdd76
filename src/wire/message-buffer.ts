/** A message of a length known in advance, collected as it arrives. */

/** Bytes allocated at first, unless the message is shorter. */
const FIRST_ALLOCATION = 1024;

/** Bytes allocated ahead for each byte that has arrived: at most, and at least, as copying again at every arrival would cost too much. */
const MOST_AHEAD = 3;
const LEAST_AHEAD = 0.25;

/** Counts memory, and tells how much more may be used. */
export interface MemoryAllowance {
  /** Bytes that may still be charged. */
  readonly free: number;
  /** Hears of each growth in bytes before it happens; may throw to prevent it. */
  charge(bytes: number): void;
}

/**
 * Collects a message in one buffer whose allocation follows arrival: whatever length was declared, the buffer is never larger
 * than 1 KiB or four times what has arrived; where memory is short, one and a quarter. Bytes are copied in, because read buffers are reused.
 */
export class MessageBuffer {
  readonly length: number;
  private readonly memory: MemoryAllowance | null;
  private buffer: Buffer = EMPTY;
  private filled = 0;

  /** `length` is the declared one; without `memory` nothing is counted and there is room enough. */
  constructor(length: number, memory: MemoryAllowance | null = null) {
    this.length = length;
    this.memory = memory;
  }

  /** Bytes allocated so far: the sum of what `memory` was charged. */
  get allocated(): number {
    return this.buffer.length;
  }

  /** Bytes that have arrived. */
  get arrived(): number {
    return this.filled;
  }

  /** Whether all bytes have arrived. */
  get complete(): boolean {
    return this.filled === this.length;
  }

  /** Adds `chunk[start,end)`. Throws a RangeError if that is more than the message has: a mistake of the caller. */
  append(chunk: Buffer, start: number, end: number): void {
    const filled = this.filled + end - start;
    if (filled > this.length) throw new RangeError(`${filled} bytes for a message of ${this.length}`);
    if (filled > this.buffer.length) this.grow(filled);
    chunk.copy(this.buffer, this.filled, start, end);
    this.filled = filled;
  }

  /** What has arrived: the whole message once {@link complete}. A view, not a copy. */
  view(): Buffer {
    return this.filled === this.buffer.length ? this.buffer : this.buffer.subarray(0, this.filled);
  }

  private grow(needed: number): void {
    const free = this.memory === null ? Number.POSITIVE_INFINITY : this.memory.free;
    const ahead = Math.ceil(Math.max(LEAST_AHEAD * needed, Math.min(MOST_AHEAD * needed, free)));
    const capacity = Math.min(this.length, Math.max(FIRST_ALLOCATION, needed + ahead));
    this.memory?.charge(capacity - this.buffer.length);
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.buffer.copy(larger, 0, 0, this.filled);
    this.buffer = larger;
  }
}

const EMPTY = Buffer.alloc(0);
