/** Calls that name an operation: any replica can serve them, as the name carries what it stands for (R7, D46). */
import { BridgeError } from "../spec/bridge-error.ts";
import type { Call } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type TaggedExecution, untagOperation } from "../wire/operation-name.ts";
import { Status } from "../wire/status.ts";
import { type ActionRuns, type Operations, operationUnknown } from "./action-runs.ts";
import { isLacking, toTheEnd, waitFor } from "./follow.ts";
import type { Prepared } from "./prepare.ts";
import { executeRequest, type Forward } from "./requests.ts";
import { nameOf, type RunningAction, withName } from "./running-action.ts";
import type { Scope } from "./scope.ts";
import { storeMade } from "./store-made.ts";

/** Serves the calls about operations of one plan. */
export class NamedOperations {
  private readonly runs: ActionRuns;

  constructor(runs: ActionRuns) {
    this.runs = runs;
  }

  /** Answers a `WaitExecutionRequest`. @throws BridgeError `operation-unknown` where the client has to execute again; UpstreamError. */
  async *wait(request: Buffer, call: Call, forward: Forward): Operations {
    const { name, execution } = named(request);
    const own = withName(request, name);
    if (execution === null) {
      const scope = this.runs.scope(call, 0, null);
      yield* this.runs.told(
        waitFor(name, () => forward(own), scope, this.runs.parts.manner),
        this.runs.foreign(scope),
      );
      return;
    }
    const { scope, prepared, running } = await this.restore(call, execution);
    const again = (): Operations => this.executeAgain(scope, prepared, execution, running);
    const waited = waitFor(name, () => forward(own), scope, this.runs.parts.manner);
    try {
      if (prepared === null || prepared.made.length === 0) yield* this.runs.told(waited, running);
      else yield* this.runs.toldWithRetry(() => waited, running, prepared, again);
    } catch (error) {
      if (!this.executesAgain(error)) throw error;
      yield* again();
    }
  }

  /** Answers a request about the operation it names in field 1; whatever comes back is the operation. */
  async *get(request: Buffer, call: Call, forward: Forward): Operations {
    const { name, execution } = named(request);
    const running =
      execution === null
        ? this.runs.foreign(this.runs.scope(call, 0, null))
        : (await this.restore(call, execution)).running;
    yield* this.runs.told(forward(withName(request, name)), running);
  }

  /** Passes a request on that names an operation and is answered by nothing. */
  async *pass(request: Buffer, _call: Call, forward: Forward): Operations {
    yield* forward(withName(request, named(request).name));
  }

  /** What the name of an operation leads to: the same on any replica. @throws BridgeError `operation-unknown` where its action cannot be read any more. */
  private async restore(
    call: Call,
    { action, digestFunction, instance, ...rest }: TaggedExecution,
  ): Promise<{ scope: Scope; prepared: Prepared | null; running: RunningAction }> {
    const scope = this.runs.scope(call, digestFunction, action, instance);
    const nonce = rest.nonce ?? null;
    let prepared: Prepared | null = null;
    try {
      if (this.runs.parts.prepares)
        prepared = await this.runs.parts.preparer.prepare(scope, action, { runs: false, nonce });
    } catch (error) {
      throw isMissing(error) ? operationUnknown() : error;
    }
    const execution = { action, digestFunction, instance, ...rest };
    return {
      scope,
      prepared,
      running: this.runs.running(scope, prepared, execution, operationUnknown, action),
    };
  }

  /** Whether the client is better off with a new execution than with this failure of WaitExecution (D46). */
  private executesAgain(error: unknown): boolean {
    if (isLacking(error)) return true;
    const { lost } = this.runs.parts.manner;
    return lost === "execute" && error instanceof UpstreamError && error.code === Status.NOT_FOUND;
  }

  /** Runs the action of an operation once more, or finds its result in the cache. @throws BridgeError `operation-unknown` if it is not to be cached: it may have effects. */
  private async *executeAgain(
    scope: Scope,
    known: Prepared | null,
    { action, digestFunction, executionPolicy, resultsPolicy, nonce }: TaggedExecution,
    running: RunningAction,
  ): Operations {
    const prepared =
      known ?? (await this.runs.parts.preparer.prepare(scope, action, { runs: false, nonce: nonce ?? null }));
    if (prepared.doNotCache) throw operationUnknown();
    await storeMade(scope, prepared, false, this.runs);
    const request = executeRequest(prepared.mapped, { digestFunction, executionPolicy, resultsPolicy });
    yield* this.runs.told(toTheEnd(scope.port.execute(request), scope, this.runs.parts.manner), running);
  }
}

function named(request: Buffer): { readonly name: string; readonly execution: TaggedExecution | null } {
  const { name, tag } = untagOperation(nameOf(request));
  return { name, execution: tag?.execution ?? null };
}

function isMissing(error: unknown): boolean {
  return error instanceof BridgeError && error.facts.code === "action-missing";
}
