import type { Budget } from "./budget.ts";
import { DEFAULT_WINDOW } from "./constants.ts";

/** The most credit a connection grows to. */
const LARGEST = 16 * 1024 * 1024;
/** Smaller increments wait for more, lest a spent budget causes one WINDOW_UPDATE a frame. */
const WORTHWHILE = 16_384;

/**
 * The connection-level window a peer sends into. What the peer may still send and what is held of what it sent are both charged to the
 * budget. Credit does not wait for stalled streams, so that one slow reader does not stop its neighbours; the budget bounds it
 * instead.
 */
export class ReceiveWindow {
  private readonly budget: Budget;
  private readonly sendUpdate: (increment: number) => void;
  private target = DEFAULT_WINDOW + 1;
  private available = DEFAULT_WINDOW;
  private held = 0;
  private closed = false;

  /** `sendUpdate` is called with the increment of each WINDOW_UPDATE to send. */
  constructor(budget: Budget, sendUpdate: (increment: number) => void) {
    this.budget = budget;
    this.sendUpdate = sendUpdate;
    budget.charge(DEFAULT_WINDOW);
  }

  /** Counts `bytes` received, of which `held` are kept for now; false if the peer had no credit for them. */
  received(bytes: number, held: number): boolean {
    // The frame itself may have ended the connection.
    if (this.closed) return true;
    this.available -= bytes;
    this.held += held;
    this.budget.charge(held - bytes);
    if (this.available < 0) return false;
    if (this.available * 2 <= this.target) this.replenish();
    return true;
  }

  /** `bytes` of what was held have been handed on or dropped. */
  released(bytes: number): void {
    if (this.closed) return;
    this.held -= bytes;
    this.budget.charge(-bytes);
    if (this.available * 2 <= this.target) this.replenish();
  }

  /** Gives everything back to the budget. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.budget.charge(-(this.available + this.held));
  }

  private replenish(): void {
    // A connection whose bytes leave as fast as they come is limited by its window: let it grow.
    if (this.held === 0 && this.target < LARGEST) this.target *= 2;
    const { available, held, budget } = this;
    // The window a connection is born with is always granted, so that a spent budget slows peers down but stops nobody.
    const allowance = Math.max(DEFAULT_WINDOW - available - held, budget.free >> 1);
    const increment = Math.min(this.target - available, allowance);
    if (increment < WORTHWHILE) return;
    this.available += increment;
    this.budget.charge(increment);
    this.sendUpdate(increment);
  }
}
