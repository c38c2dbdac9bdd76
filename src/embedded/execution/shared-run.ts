/** One run of an action, for all operations that wait for it. */
import { enums } from "../../spec/generated/enums.ts";
import type { OperationState, Stage } from "./operation.ts";
import type { Outcome } from "./outcome.ts";
import type { ExecutionMetadata } from "./run-action.ts";
import { now } from "./timestamps.ts";

/** Lives as long as somebody waits for it: when the last operation is cancelled, the run is. */
export class SharedRun {
  /** What is known of the execution; it fills while the work goes on. */
  readonly metadata: ExecutionMetadata = { queuedTimestamp: now() };
  readonly #abort = new AbortController();
  readonly #followers = new Set<OperationState>();
  readonly #outcome: Promise<Outcome>;
  #stage: Stage = enums.ExecutionStage.QUEUED;

  /** Begins the work at once; it rejects with the reason of `signal` once that is aborted. */
  constructor(work: (run: SharedRun) => Promise<Outcome>) {
    this.#outcome = work(this);
  }

  /** Aborted when the run is to end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends the run; everybody who waits for it gets the reason. */
  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Shows a new stage to all who wait. */
  advance(stage: Stage): void {
    this.#stage = stage;
    for (const follower of this.#followers) this.#show(follower);
  }

  /** Shows the operation how the run proceeds and returns how it ended. */
  async follow(operation: OperationState): Promise<Outcome> {
    const { cancelled } = operation;
    const leave = () => {
      this.#followers.delete(operation);
      if (this.#followers.size === 0) this.abort(cancelled.reason);
    };
    cancelled.addEventListener("abort", leave, { once: true });
    this.#followers.add(operation);
    this.#show(operation);
    try {
      return await this.#outcome;
    } finally {
      cancelled.removeEventListener("abort", leave);
      operation.note(this.metadata);
    }
  }

  #show(operation: OperationState): void {
    operation.note(this.metadata);
    operation.advance(this.#stage);
  }
}
