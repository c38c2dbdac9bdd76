/** Execute, where another action may run in place of the client's (R8). */
import { randomBytes, randomUUID } from "node:crypto";
import type { Call } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { Digest } from "../wire/digest.ts";
import { bytesIn, digestIn, numberIn } from "../wire/fields.ts";
import type { TaggedExecution } from "../wire/operation-name.ts";
import { joined } from "../wire/rewrite.ts";
import { Status } from "../wire/status.ts";
import type { ActionRuns, Operations } from "./action-runs.ts";
import { cachedOperation } from "./cached-operation.ts";
import { toTheEnd } from "./follow.ts";
import { noteWishes } from "./inline-wishes.ts";
import type { Prepared } from "./prepare.ts";
import { ExecuteField, type Forward, lookUpRequest, withMapped } from "./requests.ts";
import type { RunningAction } from "./running-action.ts";
import type { Scope } from "./scope.ts";
import { isTold } from "./status-of.ts";
import { storeMade } from "./store-made.ts";

/** Serves the calls of Execute of one plan. */
export class Execute {
  private readonly runs: ActionRuns;

  constructor(runs: ActionRuns) {
    this.runs = runs;
  }

  /**
   * Answers an `ExecuteRequest`.
   * @throws BridgeError for what is refused, before an operation exists; UpstreamError with the client's digests in its details.
   */
  async *run(request: Buffer, call: Call, forward: Forward): Operations {
    const asked = readRequest(request);
    const { action, digestFunction } = asked;
    if (action === null) {
      yield* forward(request);
      return;
    }
    if (this.runs.parts.hooks.some) noteWishes(request, ExecuteField, call);
    const scope = this.runs.scope(call, digestFunction, action);
    const prepared = this.runs.parts.prepares ? await this.prepare(scope, action) : null;
    const tagged: TaggedExecution = {
      action,
      digestFunction,
      instance: call.clientInstance,
      plan: this.runs.parts.plan,
      ...(prepared?.nonce && { nonce: prepared.nonce }),
      ...(asked.executionPolicy && { executionPolicy: asked.executionPolicy }),
      ...(asked.resultsPolicy && { resultsPolicy: asked.resultsPolicy }),
    };
    const another = (): Error =>
      new UpstreamError(Status.INTERNAL, "the upstream answered Execute with another action's operation");
    const running = this.runs.running(scope, prepared, tagged, another, action);
    if (prepared === null || prepared.made.length === 0) {
      if (prepared !== null) call.count("unchanged");
      yield* this.runs.told(toTheEnd(forward(request), scope, this.runs.parts.manner), running);
      return;
    }
    const cached = await this.cached(request, running, prepared);
    if (cached !== null) {
      yield cached;
      return;
    }
    call.count("rewritten");
    await storeMade(scope, prepared, false, this.runs);
    const mapped = withMapped(request, ExecuteField, prepared, this.runs.parts.outputName);
    yield* this.runs.toldWithRetry(
      () => toTheEnd(forward(mapped), scope, this.runs.parts.manner),
      running,
      prepared,
    );
  }

  private async prepare(scope: Scope, action: Digest): Promise<Prepared> {
    const { preparer } = this.runs.parts;
    const prepared = await preparer.prepare(scope, action, { runs: true });
    if (!preparer.wantsNonce(prepared)) return prepared;
    return preparer.prepare(scope, action, { runs: true, nonce: randomBytes(16) });
  }

  /** An operation for the result that somebody stored under the client's own key, if the operator wants those to be found (R4). */
  private async cached(request: Buffer, running: RunningAction, prepared: Prepared): Promise<Buffer | null> {
    const { aliases, hooks } = this.runs.parts;
    if (aliases === null || prepared.doNotCache || numberIn(request, ExecuteField.skipCacheLookup) !== 0)
      return null;
    const { scope, given } = running;
    try {
      const found = await scope.port.getActionResult(lookUpRequest(prepared.action));
      const result = joined(await hooks.edit(found, { scope, given, foreign: true }), found);
      return cachedOperation(`cached/${randomUUID()}`, prepared.action, result);
    } catch (error) {
      if (isTold(error)) return null;
      throw error;
    }
  }
}

interface AskedExecution {
  readonly action: Digest | null;
  readonly digestFunction: number;
  readonly executionPolicy: Buffer | null;
  readonly resultsPolicy: Buffer | null;
}

function readRequest(request: Buffer): AskedExecution {
  return {
    action: digestIn(request, ExecuteField.action),
    digestFunction: numberIn(request, ExecuteField.digestFunction),
    executionPolicy: bytesIn(request, ExecuteField.executionPolicy),
    resultsPolicy: bytesIn(request, ExecuteField.resultsPolicy),
  };
}
