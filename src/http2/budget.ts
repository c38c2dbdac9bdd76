/** What a connection may always hold, budget or not, so that a stalled neighbour cannot starve it: the window it is born with. */
const FLOOR = 65_535;

/**
 * The process-wide bound on memory that peers can make the bridge hold: bytes received and not yet handed on, plus the
 * window credit peers may still use. Each connection may take a share of what is free, so many greedy connections converge below
 * the limit and a new one still finds room.
 */
export class Budget {
  /** The bound in bytes. */
  readonly limit: number;
  /** Bytes held or promised now. Exceeds `limit` by at most 64 KiB a connection. */
  used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Charges `bytes`; pass a negative number to give them back. */
  charge(bytes: number): void {
    this.used += bytes;
  }

  /** Charges `bytes` if they fit under the limit; tells whether it did. */
  tryCharge(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }

  /** The most bytes that one connection may hold and have promised at this moment. */
  share(): number {
    return Math.max(FLOOR, Math.floor((this.limit - this.used) / 2));
  }
}
