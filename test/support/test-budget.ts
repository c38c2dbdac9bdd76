import type { Budget } from "../../src/upstream/caller.ts";

/** A budget that remembers the most it was charged. */
export class TestBudget implements Budget {
  used = 0;
  peak = 0;
  private readonly limit: number;

  constructor(limit = 64 * 1024 * 1024) {
    this.limit = limit;
  }

  get free(): number {
    return this.limit - this.used;
  }

  charge(bytes: number): void {
    this.used += bytes;
    this.peak = Math.max(this.peak, this.used);
  }
}
