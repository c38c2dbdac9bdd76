/** Runs actions on this machine, with the rights of this process: it is no sandbox. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { codec } from "../../spec/codec.ts";
import { enums } from "../../spec/generated/enums.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { formatDigest } from "../../wire/digest.ts";
import { Status } from "../../wire/status.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import { Digests } from "../digests.ts";
import { isComplete } from "../services/completeness.ts";
import { inlineContents } from "../services/inline.ts";
import type { ActionCache } from "../store/action-cache.ts";
import type { BlobDigest, BlobStore } from "../store/blob-store.ts";
import { type ReadAction, readAction } from "./action.ts";
import { failureOf, lacking } from "./failure.ts";
import { type ExecutionOperation, OperationState } from "./operation.ts";
import { failed, type Outcome } from "./outcome.ts";
import { runAction } from "./run-action.ts";
import { SharedRun } from "./shared-run.ts";
import { Slots } from "./slots.ts";

type ExecuteRequest = Messages["build.bazel.remote.execution.v2.ExecuteRequest"];

const ACTION_RESULT = "build.bazel.remote.execution.v2.ActionResult";

/** Operations that are done stay known until there are so many of them. */
const REMEMBERED = 1000;

/** What an executor is made of. */
export interface ExecutorOptions {
  readonly behaviour: Behaviour;
  readonly store: BlobStore;
  readonly actionCache: ActionCache;
  /** A directory for this executor alone: emptied before its first use, removed when it stops. */
  readonly scratchDir: string;
  /** How many commands may run at once; by default as many as there are cores. */
  readonly parallelism?: number;
}

/**
 * Serves executions as the server that is played does. Requests for the same action share one run while it lasts, except, since 2.0, where
 * the action forbids it; results with exit code 0 go to the action cache, except where the action forbids that.
 */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #digests: Digests;
  readonly #slots: Slots;
  readonly #operations = new Map<string, OperationState>();
  readonly #runs = new Map<string, SharedRun>();
  readonly #work = new Set<Promise<void>>();
  #scratch: Promise<unknown> | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#digests = new Digests(options.behaviour.functions);
    this.#slots = new Slots(options.parallelism ?? availableParallelism());
  }

  /**
   * Begins an execution. What is wrong with the action is told by the operation.
   * @throws CallError INVALID_ARGUMENT for a digest that is none, UNAVAILABLE once the executor stops.
   */
  execute(request: ExecuteRequest): ExecutionOperation {
    if (this.#stopped !== null) throw stopping();
    const digest = this.#digests.read(request.actionDigest, request.digestFunction, "action_digest");
    const prefix = request.instanceName === "" ? "" : `${request.instanceName}/`;
    const operation = new OperationState(
      `${prefix}operations/${randomUUID()}`,
      digest,
      this.#options.behaviour,
    );
    this.#remember(operation);
    const work = this.#perform(operation, digest, request).finally(() => this.#work.delete(work));
    this.#work.add(work);
    return operation;
  }

  /** The operation of that name, or undefined if there is none, or not any more. */
  find(name: string): ExecutionOperation | undefined {
    return this.#operations.get(name);
  }

  /** All operations that are known, oldest first. */
  list(): ExecutionOperation[] {
    return [...this.#operations.values()];
  }

  /** Knows none of them any more; what runs goes on. */
  forget(): void {
    this.#operations.clear();
  }

  /** Kills what runs, ends all operations with UNAVAILABLE and removes the scratch directory. Resolves when nothing is left. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      for (const run of this.#runs.values()) run.abort(stopping());
      await Promise.all(this.#work);
      await rm(this.#options.scratchDir, { recursive: true, force: true });
    })();
    return this.#stopped;
  }

  async #perform(operation: OperationState, digest: BlobDigest, request: ExecuteRequest): Promise<void> {
    try {
      const outcome = await this.#outcome(operation, digest, request);
      operation.complete(outcome, await this.#resultFor(request, outcome, digest));
    } catch (error) {
      operation.complete(failed(failureOf(error)), null);
    }
  }

  async #outcome(operation: OperationState, digest: BlobDigest, request: ExecuteRequest): Promise<Outcome> {
    const { store, behaviour } = this.#options;
    const { cacheLookup, missing } = behaviour.actions;
    const { instanceName, skipCacheLookup } = request;
    const bytes = await store.get(digest);
    const action = bytes === null ? null : readAction(bytes, digest, behaviour);
    if (cacheLookup && !skipCacheLookup && !action?.doNotCache) {
      const result = await this.#cached(instanceName, digest);
      if (result !== null) return { result, cached: true, failure: null };
    }
    if (action === null) throw lacking({ action: [digest] }, missing);
    operation.cancelled.throwIfAborted();
    return this.#runOf(instanceName, digest, action).follow(operation);
  }

  /** A result that can be trusted: since 2.0 only one whose blobs are all stored (D23). */
  async #cached(instance: string, digest: BlobDigest): Promise<Buffer | null> {
    const { behaviour, store, actionCache } = this.#options;
    const bytes = await actionCache.get(instance, digest);
    if (bytes === null || !behaviour.checksHits) return bytes;
    const result = codec(behaviour.level).decode(ACTION_RESULT, bytes);
    const parts = { behaviour, store, digests: this.#digests };
    return (await isComplete(parts, result, digest.digestFunction)) ? bytes : null;
  }

  /** The run of this action that is under way, or a new one. */
  #runOf(instance: string, digest: BlobDigest, action: ReadAction): SharedRun {
    if (this.#stopped !== null) throw stopping();
    const alone = action.doNotCache && !this.#options.behaviour.actions.mergesUncached;
    const key = alone ? randomUUID() : `${digest.digestFunction.name} ${formatDigest(digest)} ${instance}`;
    const known = this.#runs.get(key);
    if (known !== undefined && !known.signal.aborted) return known;
    const run = new SharedRun(async (self) => {
      try {
        return await this.#run(self, instance, digest, action);
      } finally {
        if (this.#runs.get(key) === self) this.#runs.delete(key);
      }
    });
    this.#runs.set(key, run);
    return run;
  }

  async #run(run: SharedRun, instance: string, digest: BlobDigest, action: ReadAction): Promise<Outcome> {
    const { behaviour, store, actionCache, scratchDir } = this.#options;
    const { metadata, signal } = run;
    const release = await this.#slots.take(signal);
    try {
      await this.#prepareScratch();
      run.advance(enums.ExecutionStage.EXECUTING);
      const { result, failure } = await runAction({ action, behaviour, store, scratchDir, metadata, signal });
      if (result === null) return { result, cached: false, failure };
      const bytes = codec(behaviour.outputs.resultLevel).encode(ACTION_RESULT, result);
      const good = failure === null && result.exitCode === 0;
      if (good && !action.doNotCache) await actionCache.put(instance, digest, bytes);
      return { result: bytes, cached: false, failure };
    } finally {
      release();
    }
  }

  /** What an earlier process left behind goes first. */
  #prepareScratch(): Promise<unknown> {
    const { scratchDir } = this.#options;
    this.#scratch ??= rm(scratchDir, { recursive: true, force: true })
      .then(() => mkdir(scratchDir, { recursive: true }))
      .catch((error: unknown) => {
        this.#scratch = null;
        throw error;
      });
    return this.#scratch;
  }

  async #resultFor(request: ExecuteRequest, { result }: Outcome, { digestFunction }: BlobDigest) {
    if (result === null) return null;
    const { behaviour, store } = this.#options;
    const message = codec(behaviour.level).decode(ACTION_RESULT, result);
    await inlineContents({ behaviour, store, digests: this.#digests }, message, request, digestFunction);
    return message;
  }

  #remember(operation: OperationState): void {
    this.#operations.set(operation.name, operation);
    if (this.#operations.size <= REMEMBERED) return;
    for (const [name, known] of this.#operations) {
      if (!known.current().done) continue;
      this.#operations.delete(name);
      return;
    }
  }
}

function stopping(): CallError {
  return new CallError(Status.UNAVAILABLE, "the server is stopping");
}
