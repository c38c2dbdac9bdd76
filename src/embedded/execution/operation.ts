/** Executions as their callers see them. */
import { packAny } from "../../spec/any.ts";
import { type Codec, codec } from "../../spec/codec.ts";
import { enums } from "../../spec/generated/enums.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { Status } from "../../wire/status.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import { failed, type Outcome } from "./outcome.ts";
import type { ExecutionMetadata } from "./run-action.ts";

type Operation = Messages["google.longrunning.Operation"];

/** A number of ExecutionStage.Value. */
export type Stage = (typeof enums.ExecutionStage)[keyof typeof enums.ExecutionStage];

/** An execution that was asked for; the stream of Execute, and what WaitExecution and the Operations service show. */
export interface ExecutionOperation {
  /** Known to this server only, until some time after the operation is done. */
  readonly name: string;
  /** The state of this moment. */
  current(): Operation;
  /** The state of this moment and then each new one, the last being the one that is done. A slow reader misses states in between. */
  updates(): AsyncIterable<Operation>;
  /** Why it came to nothing; null if it did not, or not yet. */
  readonly failure: CallError | null;
  /** Ends all that read {@link updates} now: with this error, or as if it were done for null. The operation goes on. */
  cut(reason: CallError | null): void;
  /** Ends it with CANCELLED, unless it is done. The command stops if nobody else waits for it. */
  cancel(): void;
}

/** The side of an operation on which the execution reports. */
export class OperationState implements ExecutionOperation {
  readonly name: string;
  failure: CallError | null = null;
  readonly #behaviour: Behaviour;
  readonly #codec: Codec;
  readonly #action: BlobDigest;
  readonly #cancelled = new AbortController();
  #current: Operation;
  #changed = Promise.withResolvers<void>();
  #cut = Promise.withResolvers<{ readonly reason: CallError | null }>();
  #metadata: Readonly<ExecutionMetadata> | null = null;

  /** Begins in the stage CACHE_CHECK. */
  constructor(name: string, action: BlobDigest, behaviour: Behaviour) {
    this.name = name;
    this.#behaviour = behaviour;
    this.#codec = codec(behaviour.level);
    this.#action = action;
    this.#current = this.#at(enums.ExecutionStage.CACHE_CHECK);
  }

  current(): Operation {
    return this.#current;
  }

  async *updates(): AsyncIterable<Operation> {
    const cut = this.#cut.promise;
    for (;;) {
      const { promise } = this.#changed;
      const shown = this.#current;
      yield shown;
      if (shown.done) return;
      const end = await Promise.race([cut, shown === this.#current ? promise : null]);
      if (!end) continue;
      if (end.reason !== null) throw end.reason;
      return;
    }
  }

  cut(reason: CallError | null): void {
    this.#cut.resolve({ reason });
    this.#cut = Promise.withResolvers();
  }

  cancel(): void {
    const reason = new CallError(Status.CANCELLED, "the caller cancelled the operation");
    this.complete(failed(reason), null);
    this.#cancelled.abort(reason);
  }

  /** Aborted when the caller cancels. */
  get cancelled(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** Takes note of what is known of the execution; the next state shows it. */
  note(metadata: Readonly<ExecutionMetadata>): void {
    this.#metadata = { ...metadata };
  }

  /** Shows a new stage, unless the operation is done. */
  advance(stage: Stage): void {
    if (!this.#current.done) this.#change(this.#at(stage));
  }

  /** Ends the operation, if it is not done; `result` is the one in the outcome, as this caller gets it. */
  complete(outcome: Outcome, result: Messages["build.bazel.remote.execution.v2.ActionResult"] | null): void {
    if (this.#current.done) return;
    const { failure, cached: cachedResult } = outcome;
    this.failure = failure;
    const status = failure && {
      code: failure.code,
      message: failure.message,
      details: failure.details.map(({ typeUrl, value }) => ({ typeUrl, value })),
    };
    const response = packAny(this.#codec, "build.bazel.remote.execution.v2.ExecuteResponse", {
      result,
      cachedResult,
      status,
    });
    this.#change({ ...this.#at(enums.ExecutionStage.COMPLETED), done: true, response });
  }

  #at(stage: Stage): Operation {
    const { metadataLevel, namesFunction } = this.#behaviour.outputs;
    const metadata = packAny(
      codec(metadataLevel),
      "build.bazel.remote.execution.v2.ExecuteOperationMetadata",
      {
        stage,
        actionDigest: digestMessage(this.#action),
        digestFunction: namesFunction ? this.#action.digestFunction.number : 0,
        partialExecutionMetadata: this.#metadata,
      },
    );
    // Errors are told in the response: the API forbids the field `error`.
    return { name: this.name, metadata, done: false, error: null, response: null };
  }

  #change(operation: Operation): void {
    this.#current = operation;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
