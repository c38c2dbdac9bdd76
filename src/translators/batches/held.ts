import { UpstreamError } from "../../upstream/upstream-error.ts";
import type { MemoryAllowance } from "../../wire/message-buffer.ts";
import { Status } from "../../wire/status.ts";

/** What one call holds besides its messages: charged to the budget until it is given back. */
export class Held {
  private readonly budget: MemoryAllowance;
  private bytes = 0;

  constructor(budget: MemoryAllowance) {
    this.budget = budget;
  }

  /** Counts bytes more. @throws UpstreamError RESOURCE_EXHAUSTED if there is no room. */
  take(bytes: number): void {
    if (this.tryTake(bytes)) return;
    const message = `the bridge has no memory for ${bytes} bytes more; try again later`;
    throw new UpstreamError(Status.RESOURCE_EXHAUSTED, message);
  }

  /** Counts bytes more, if there is room; tells whether there was. */
  tryTake(bytes: number): boolean {
    if (bytes > this.budget.free) return false;
    this.budget.charge(bytes);
    this.bytes += bytes;
    return true;
  }

  /** Gives bytes back: by default all that there are. */
  give(bytes: number = this.bytes): void {
    this.budget.charge(-bytes);
    this.bytes -= bytes;
  }
}
