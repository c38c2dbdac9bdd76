/** Execute with translation, and whatever asks for its operations later (R8, R7). */
import { randomBytes, randomUUID } from "node:crypto";
import { BridgeError } from "../spec/bridge-error.ts";
import type { ActionMessages, Call, OperationManner } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, encodeDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { type TaggedExecution, untagOperation } from "../wire/operation-name.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Status } from "../wire/status.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Aliases } from "./aliases.ts";
import { cachedOperation } from "./cached-operation.ts";
import { bytesIn, digestIn, numberIn, sameDigest } from "./fields.ts";
import { isLacking, toTheEnd, waitFor } from "./follow.ts";
import { withMissing } from "./missing-inputs.ts";
import { clientDigests, errorForClient } from "./missing-subjects.ts";
import type { Prepared, Preparer } from "./prepare.ts";
import type { ResultHooks } from "./result-hooks.ts";
import {
  endOf,
  goodResult,
  nameOf,
  operationForClient,
  type RunningAction,
  withName,
} from "./running-action.ts";
import { Scope } from "./scope.ts";
import { isTold } from "./status-of.ts";
import { storeMade } from "./store-made.ts";

/** Sends a request to the method that was called; the responses. */
export type Forward = (request: Buffer) => AsyncIterable<Buffer>;

type Operations = AsyncGenerator<Buffer, void, void>;

/** Field numbers of ExecuteRequest. */
const RequestField = {
  skipCacheLookup: 3,
  action: 6,
  executionPolicy: 7,
  resultsPolicy: 8,
  digestFunction: 9,
  inlined: 12,
} as const;

/** What executions of one plan go by. */
export interface ExecutionParts {
  readonly preparer: Preparer;
  readonly hooks: ResultHooks;
  /** Keeps results under keys of its own; null where nobody wants that. */
  readonly aliases: Aliases | null;
  readonly manner: OperationManner;
  /** Tells this plan from others in the names of operations. */
  readonly plan: string;
  /** Whether another action may run in place of the client's, or something of it be refused. */
  readonly prepares: boolean;
  /** Whether names of operations carry what the client asked for. */
  readonly tags: boolean;
  /** The name that the upstream has for an output which a request wants inlined. */
  readonly outputName: (path: string, given: readonly ActionMessages[]) => string;
}

/** Serves the calls about executions of one plan. */
export class Executions {
  private readonly parts: ExecutionParts;

  constructor(parts: ExecutionParts) {
    this.parts = parts;
  }

  /**
   * Answers an `ExecuteRequest`.
   * @throws BridgeError for what is refused, before an operation exists; UpstreamError with the client's digests in its details.
   */
  async *execute(request: Buffer, call: Call, forward: Forward): Operations {
    const asked = readRequest(request);
    const { action, digestFunction } = asked;
    if (action === null) {
      yield* forward(request);
      return;
    }
    const scope = new Scope(call, digestFunction, action);
    const prepared = this.parts.prepares ? await this.prepare(scope, action) : null;
    const tagged: TaggedExecution = {
      action,
      digestFunction,
      instance: call.clientInstance,
      plan: this.parts.plan,
      ...(prepared?.nonce && { nonce: prepared.nonce }),
      ...(asked.executionPolicy && { executionPolicy: asked.executionPolicy }),
      ...(asked.resultsPolicy && { resultsPolicy: asked.resultsPolicy }),
    };
    const another = (): Error =>
      new UpstreamError(Status.INTERNAL, "the upstream answered Execute with another action's operation");
    const running = this.running(scope, prepared, tagged, another, action);
    if (prepared === null || prepared.made.length === 0) {
      yield* this.told(toTheEnd(forward(request), scope, this.parts.manner), running);
      return;
    }
    const cached = await this.cached(request, running, prepared);
    if (cached !== null) {
      yield cached;
      return;
    }
    await storeMade(scope, prepared, false, () => this.afresh(scope, prepared));
    const mapped = this.mappedRequest(request, prepared);
    yield* this.withRetry(() => toTheEnd(forward(mapped), scope, this.parts.manner), running, prepared);
  }

  /** Answers a `WaitExecutionRequest`. @throws BridgeError `operation-unknown` where the client has to execute again; UpstreamError. */
  async *wait(request: Buffer, call: Call, forward: Forward): Operations {
    const { name, execution } = named(request);
    const own = withName(request, name);
    if (execution === null) {
      const scope = new Scope(call, 0, null);
      yield* this.told(
        waitFor(name, () => forward(own), scope, this.parts.manner),
        this.foreign(scope),
      );
      return;
    }
    const { scope, prepared, running } = await this.restore(call, execution);
    const again = (): Operations => this.executeAgain(scope, prepared, execution, running);
    const waited = waitFor(name, () => forward(own), scope, this.parts.manner);
    try {
      if (prepared === null || prepared.made.length === 0) yield* this.told(waited, running);
      else yield* this.withRetry(() => waited, running, prepared, again);
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
        ? this.foreign(new Scope(call, 0, null))
        : (await this.restore(call, execution)).running;
    yield* this.told(forward(withName(request, name)), running);
  }

  /** Passes a request on that names an operation and is answered by nothing. */
  async *pass(request: Buffer, _call: Call, forward: Forward): Operations {
    yield* forward(withName(request, named(request).name));
  }

  private async prepare(scope: Scope, action: Digest): Promise<Prepared> {
    const { preparer } = this.parts;
    const prepared = await preparer.prepare(scope, action, { runs: true });
    if (!preparer.wantsNonce(prepared)) return prepared;
    return preparer.prepare(scope, action, { runs: true, nonce: randomBytes(16) });
  }

  private afresh(scope: Scope, { action, nonce }: Prepared): Promise<Prepared> {
    return this.parts.preparer.prepare(scope, action, { runs: false, nonce, afresh: true });
  }

  private running(
    scope: Scope,
    prepared: Prepared | null,
    execution: TaggedExecution,
    another: () => Error,
    action: Digest,
  ): RunningAction {
    const { route } = scope.call;
    const { missing } = this.parts.manner;
    const isOther = prepared !== null && !sameDigest(prepared.action, prepared.mapped);
    return {
      scope,
      tag: this.parts.tags ? { ...(route !== null && { route }), execution } : null,
      replaced: isOther ? { client: prepared.action, mapped: prepared.mapped } : null,
      trusted: execution.plan === this.parts.plan,
      digests: prepared === null ? NONE : clientDigests(prepared),
      given: () => this.givenOf(scope, prepared, action),
      failure: async (error) => (missing === "searched" ? withMissing(error, scope, action) : error),
      told: (operation) => this.keep(scope, prepared, operation),
      another,
    };
  }

  /** An operation of which only the upstream's name is known. */
  private foreign(scope: Scope): RunningAction {
    return {
      scope,
      tag: null,
      replaced: null,
      trusted: true,
      digests: NONE,
      given: async () => null,
      failure: async (error) => error,
      told: async () => {},
      another: operationUnknown,
    };
  }

  /** An operation for the result that somebody stored under the client's own key, if the operator wants those to be found (R4). */
  private async cached(request: Buffer, running: RunningAction, prepared: Prepared): Promise<Buffer | null> {
    const { aliases, hooks } = this.parts;
    if (aliases === null || prepared.doNotCache || numberIn(request, RequestField.skipCacheLookup) !== 0)
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

  /** Keeps a good result under a key of the bridge's own, if the operator wants that (K3). */
  private async keep(scope: Scope, prepared: Prepared | null, operation: Buffer): Promise<void> {
    const { aliases } = this.parts;
    if (aliases === null || prepared === null || prepared.doNotCache || prepared.made.length === 0) return;
    const result = await goodResult(operation);
    if (result !== null) await aliases.set(scope, prepared.action, result);
  }

  /** What the name of an operation leads to: the same on any replica. @throws BridgeError `operation-unknown` where its action cannot be read any more. */
  private async restore(
    call: Call,
    { action, digestFunction, instance, ...rest }: TaggedExecution,
  ): Promise<{ scope: Scope; prepared: Prepared | null; running: RunningAction }> {
    const scope = new Scope(call, digestFunction, action, instance);
    const nonce = rest.nonce ?? null;
    let prepared: Prepared | null = null;
    try {
      if (this.parts.prepares)
        prepared = await this.parts.preparer.prepare(scope, action, { runs: false, nonce });
    } catch (error) {
      throw isMissing(error) ? operationUnknown() : error;
    }
    const execution = { action, digestFunction, instance, ...rest };
    return { scope, prepared, running: this.running(scope, prepared, execution, operationUnknown, action) };
  }

  private async givenOf(
    scope: Scope,
    prepared: Prepared | null,
    action: Digest,
  ): Promise<readonly ActionMessages[] | null> {
    if (prepared !== null) return prepared.given;
    try {
      return (await this.parts.preparer.prepare(scope, action, { runs: false })).given;
    } catch (error) {
      if (isTold(error)) return null;
      throw error;
    }
  }

  private async forClient(operation: Buffer, running: RunningAction): Promise<Buffer> {
    const told = await operationForClient(operation, running, this.parts.hooks);
    await running.told(told);
    return told;
  }

  private async *told(operations: AsyncIterable<Buffer>, running: RunningAction): Operations {
    try {
      for await (const operation of operations) yield await this.forClient(operation, running);
    } catch (error) {
      throw await running.failure(errorForClient(error, running.digests));
    }
  }

  /** Tells the operations; where they end as the upstream lacks what the bridge had made, that is stored and `again` tried, once. */
  private async *withRetry(
    start: () => Operations,
    running: RunningAction,
    prepared: Prepared,
    again: () => Operations = () => this.told(start(), running),
  ): Operations {
    const { scope } = running;
    const stored = (failure: unknown): Promise<boolean> =>
      isLoss(failure)
        ? storeMade(scope, prepared, true, () => this.afresh(scope, prepared))
        : Promise.resolve(false);
    let lost = false;
    try {
      for await (const operation of start()) {
        lost = await stored(await endOf(operation));
        if (lost) break;
        yield await this.forClient(operation, running);
      }
    } catch (error) {
      lost = await stored(error);
      if (!lost) throw await running.failure(errorForClient(error, running.digests));
    }
    if (lost) yield* again();
  }

  /** Whether the client is better off with a new execution than with this failure of WaitExecution (D46). */
  private executesAgain(error: unknown): boolean {
    if (isLacking(error)) return true;
    const { lost } = this.parts.manner;
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
      known ?? (await this.parts.preparer.prepare(scope, action, { runs: false, nonce: nonce ?? null }));
    if (prepared.doNotCache) throw operationUnknown();
    await storeMade(scope, prepared, false, () => this.afresh(scope, prepared));
    const out = new FieldWriter();
    out.bytes(RequestField.action, encodeDigest(prepared.mapped));
    if (executionPolicy !== undefined) out.bytes(RequestField.executionPolicy, executionPolicy);
    if (resultsPolicy !== undefined) out.bytes(RequestField.resultsPolicy, resultsPolicy);
    if (digestFunction !== 0) out.varint(RequestField.digestFunction, digestFunction);
    yield* this.told(toTheEnd(scope.port.execute(out.toBuffer()), scope, this.parts.manner), running);
  }

  /** The request for what runs in place of the client's Action; all else is as the client wants it. */
  private mappedRequest(request: Buffer, { mapped, given }: Prepared): Buffer {
    const slices = rewriteMessage(
      new Walker(request),
      (field, out) => {
        if (field.wireType !== WireType.LEN) return "keep";
        if (field.number === RequestField.action) return "drop";
        if (field.number !== RequestField.inlined) return "keep";
        const before = field.text();
        const after = this.parts.outputName(before, given);
        if (after === before) return "keep";
        out.text(RequestField.inlined, after);
        return "drop";
      },
      (out) => out.bytes(RequestField.action, encodeDigest(mapped)),
    );
    return joined(slices, request);
  }
}

function lookUpRequest(action: Digest): Buffer {
  const out = new FieldWriter();
  out.bytes(2, encodeDigest(action));
  return out.toBuffer();
}

const NONE: ReadonlyMap<string, Digest> = new Map();

interface AskedExecution {
  readonly action: Digest | null;
  readonly digestFunction: number;
  readonly executionPolicy: Buffer | null;
  readonly resultsPolicy: Buffer | null;
}

function readRequest(request: Buffer): AskedExecution {
  return {
    action: digestIn(request, RequestField.action),
    digestFunction: numberIn(request, RequestField.digestFunction),
    executionPolicy: bytesIn(request, RequestField.executionPolicy),
    resultsPolicy: bytesIn(request, RequestField.resultsPolicy),
  };
}

function named(request: Buffer): { readonly name: string; readonly execution: TaggedExecution | null } {
  const { name, tag } = untagOperation(nameOf(request));
  return { name, execution: tag?.execution ?? null };
}

/** Whether a failure may say that a blob is not stored, in whatever words (D07). */
function isLoss(failure: unknown): boolean {
  if (!(failure instanceof UpstreamError)) return false;
  return failure.code === Status.FAILED_PRECONDITION || failure.code === Status.NOT_FOUND;
}

function isMissing(error: unknown): boolean {
  return error instanceof BridgeError && error.facts.code === "action-missing";
}

function operationUnknown(): BridgeError {
  return new BridgeError({
    code: "operation-unknown",
    feature: "wait-execution",
    drift: "D46",
    used: "The name of an operation",
    since: null,
    has: "the upstream has no operation of that name that runs this action",
    fix: "execute the action again",
    field: null,
  });
}
