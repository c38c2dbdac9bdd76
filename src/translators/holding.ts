import { UpstreamError } from "../upstream/upstream-error.ts";
import type { MemoryAllowance } from "../wire/message-buffer.ts";
import { Status } from "../wire/status.ts";

/** What a hook holds for one call, counted against the budget. Whoever makes one closes it, whatever happens. */
export class Holding {
  private readonly budget: MemoryAllowance;
  private held = 0;

  constructor(budget: MemoryAllowance) {
    this.budget = budget;
  }

  /** Counts more bytes. @throws UpstreamError RESOURCE_EXHAUSTED if there is no room for them now. */
  take(bytes: number): void {
    if (this.tryTake(bytes)) return;
    const message = `the bridge has no memory for ${bytes} bytes more; try again later`;
    throw new UpstreamError(Status.RESOURCE_EXHAUSTED, message);
  }

  /** Counts more bytes, if there is room for them now; tells whether there was. */
  tryTake(bytes: number): boolean {
    if (bytes > this.budget.free) return false;
    this.budget.charge(bytes);
    this.held += bytes;
    return true;
  }

  /** Gives bytes back that were taken. */
  give(bytes: number): void {
    this.budget.charge(-bytes);
    this.held -= bytes;
  }

  /** Gives back all that is left. */
  close(): void {
    this.give(this.held);
  }
}
