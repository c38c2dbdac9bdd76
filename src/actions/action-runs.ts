/** The run of an action, from the client's side: what its operations become, and what is done where they fail. */
import { BridgeError } from "../spec/bridge-error.ts";
import type { ActionMessages, Call, OperationManner } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { Digest } from "../wire/digest.ts";
import { sameDigest } from "../wire/fields.ts";
import type { TaggedExecution } from "../wire/operation-name.ts";
import { Status } from "../wire/status.ts";
import type { Aliases } from "./aliases.ts";
import { withMissing } from "./missing-inputs.ts";
import { clientDigests, errorForClient } from "./missing-subjects.ts";
import type { Prepared, Preparer } from "./prepare.ts";
import type { OutputName } from "./requests.ts";
import type { ResultHooks } from "./result-hooks.ts";
import { endOf, goodResult, operationForClient, type RunningAction } from "./running-action.ts";
import { Scope } from "./scope.ts";
import { SharedUploads } from "./shared-uploads.ts";
import { isTold } from "./status-of.ts";
import { storeMade } from "./store-made.ts";

/** The messages of operations. */
export type Operations = AsyncGenerator<Buffer, void, void>;

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
  readonly outputName: OutputName;
}

/** What all calls about executions of one plan share. */
export class ActionRuns {
  readonly parts: ExecutionParts;
  readonly uploads = new SharedUploads();

  constructor(parts: ExecutionParts) {
    this.parts = parts;
  }

  /** Where the blobs of an action are, which the client calls by digests of this function. */
  scope(call: Call, digestFunction: number, action: Digest | null, instance = call.clientInstance): Scope {
    return new Scope(call, digestFunction, action, instance, this.parts.manner.subjects === "short");
  }

  /** The same action, with the bytes of all that is made at hand. */
  afresh(scope: Scope, { action, nonce }: Prepared): Promise<Prepared> {
    return this.parts.preparer.prepare(scope, action, { runs: false, nonce, afresh: true });
  }

  /** What is known of an execution; `another` makes the error for an operation that runs another action. */
  running(
    scope: Scope,
    prepared: Prepared | null,
    execution: TaggedExecution,
    another: () => Error,
    action: Digest,
  ): RunningAction {
    const { route } = scope.call;
    const { missing } = this.parts.manner;
    const short = this.parts.manner.subjects === "short";
    const isOther = prepared !== null && !sameDigest(prepared.action, prepared.mapped);
    let digests: ReadonlyMap<string, Digest> | null = prepared === null ? NONE : null;
    return {
      scope,
      tag: this.parts.tags ? { ...(route !== null && { route }), execution } : null,
      replaced: isOther ? { client: prepared.action, mapped: prepared.mapped } : null,
      trusted: execution.plan === this.parts.plan,
      // Few executions fail, and trees have many.
      get subjects() {
        digests ??= clientDigests(prepared!);
        return { digests, short };
      },
      given: () => this.givenOf(scope, prepared, action),
      failure: async (error) => (missing === "searched" ? withMissing(error, scope, action) : error),
      told: (operation) => this.keep(scope, prepared, operation),
      another,
    };
  }

  /** An operation of which only the upstream's name is known. */
  foreign(scope: Scope): RunningAction {
    return {
      scope,
      tag: null,
      replaced: null,
      trusted: true,
      subjects: { digests: NONE, short: this.parts.manner.subjects === "short" },
      given: async () => null,
      failure: async (error) => error,
      told: async () => {},
      another: operationUnknown,
    };
  }

  /** Tells the client the operations. */
  async *told(operations: AsyncIterable<Buffer>, running: RunningAction): Operations {
    try {
      for await (const operation of operations) yield await this.forClient(operation, running);
    } catch (error) {
      throw await running.failure(errorForClient(error, running.subjects));
    }
  }

  /** Tells the operations; where they end as the upstream lacks what the bridge had made, that is stored and `again` tried, once. */
  async *toldWithRetry(
    start: () => Operations,
    running: RunningAction,
    prepared: Prepared,
    again: () => Operations = () => this.told(start(), running),
  ): Operations {
    const { scope } = running;
    const stored = (failure: unknown): Promise<boolean> =>
      isLoss(failure) ? storeMade(scope, prepared, true, this) : Promise.resolve(false);
    let lost = false;
    try {
      for await (const operation of start()) {
        lost = await stored(await endOf(operation));
        if (lost) break;
        yield await this.forClient(operation, running);
      }
    } catch (error) {
      lost = await stored(error);
      if (!lost) throw await running.failure(errorForClient(error, running.subjects));
    }
    if (!lost) return;
    scope.call.count("repeated");
    yield* again();
  }

  private async forClient(operation: Buffer, running: RunningAction): Promise<Buffer> {
    const told = await operationForClient(operation, running, this.parts.hooks);
    await running.told(told);
    return told;
  }

  /** Keeps a good result under a key of the bridge's own, if the operator wants that (K3). */
  private async keep(scope: Scope, prepared: Prepared | null, operation: Buffer): Promise<void> {
    const { aliases } = this.parts;
    if (aliases === null || prepared === null || prepared.doNotCache || prepared.made.length === 0) return;
    const result = await goodResult(operation);
    if (result !== null) await aliases.set(scope, prepared.action, result);
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
}

const NONE: ReadonlyMap<string, Digest> = new Map();

/** Whether a failure may say that a blob is not stored, in whatever words (D07). */
function isLoss(failure: unknown): boolean {
  if (!(failure instanceof UpstreamError)) return false;
  return failure.code === Status.FAILED_PRECONDITION || failure.code === Status.NOT_FOUND;
}

/** The refusal of the name of an operation that cannot be gone on with: the client executes again. */
export function operationUnknown(): BridgeError {
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
