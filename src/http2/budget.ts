/** Header lists up to this size, in bytes, are never refused for want of memory. */
const SMALL_HEAD = 4096;

/**
 * The process-wide bound on memory that peers can make the bridge hold: bytes received and not yet handed on, plus the
 * window credit peers may still use. Each connection takes at most half of what is free, so many greedy connections converge below
 * the limit and a new one still finds room.
 */
export class Budget {
  /** The bound in bytes. */
  readonly limit: number;
  /** Bytes held or promised now. Exceeds `limit` by at most the 64 KiB window that each connection is born with. */
  used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Charges `bytes`; pass a negative number to give them back. */
  charge(bytes: number): void {
    this.used += bytes;
  }

  /**
   * True if a header list of `bytes` may be kept. Small ones always may: a spent budget must not stop ordinary calls, and the streams they
   * belong to take as much.
   */
  fitsHead(bytes: number): boolean {
    return bytes <= SMALL_HEAD || this.used + bytes <= this.limit;
  }

  /** Charges a header list of `bytes` if it fits; tells whether it did. */
  chargeHead(bytes: number): boolean {
    if (!this.fitsHead(bytes)) return false;
    this.used += bytes;
    return true;
  }

  /** Bytes that may still be charged. */
  get free(): number {
    return Math.max(0, this.limit - this.used);
  }
}
