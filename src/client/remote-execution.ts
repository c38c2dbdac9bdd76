/** Results and executions, in the manner of a client. */
import { unpackAny } from "../spec/any.ts";
import type { Messages } from "../spec/generated/messages.ts";
import { Status } from "../wire/status.ts";
import { type Api, methodPath } from "./api.ts";
import type { Digest } from "./blob.ts";
import { CallFailed } from "./call-failed.ts";
import type { Connection } from "./connection.ts";
import type { Manner } from "./manner.ts";

type Operation = Messages["google.longrunning.Operation"];

const GET_RESULT = methodPath("ActionCache/GetActionResult");
const UPDATE_RESULT = methodPath("ActionCache/UpdateActionResult");
const EXECUTE = methodPath("Execution/Execute");
const WAIT = methodPath("Execution/WaitExecution");
/** How often a client goes on with an execution whose stream broke. */
const MOST_STREAMS = 3;

/** What a request asks for besides its action. */
export interface ResultWishes {
  /** That it run anew, whatever the action cache has. */
  readonly skipCacheLookup?: boolean;
  readonly inlineStdout?: boolean;
  readonly inlineStderr?: boolean;
  /** As the Command spells them. */
  readonly inlineOutputFiles?: readonly string[];
}

/** An action cache and workers at the other end of a connection. Every method throws CallFailed, if it fails. */
export class RemoteExecution {
  readonly #connection: Connection;
  readonly #manner: Manner;
  readonly #instance: string;

  constructor(connection: Connection, manner: Manner, instance = "") {
    this.#connection = connection;
    this.#manner = manner;
    this.#instance = instance;
  }

  /** The result of an action that ran before, or null; null also for other errors than NOT_FOUND, unless they are fatal to the client. */
  async cachedResult(
    actionDigest: Digest,
    { skipCacheLookup: _, ...wishes }: ResultWishes = {},
  ): Promise<Api<"ActionResult"> | null> {
    try {
      const request = this.#named({ actionDigest, ...wishes });
      return await this.#connection.unary<Api<"ActionResult">>(GET_RESULT, request);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (error.is(Status.NOT_FOUND) || !this.#manner.cacheErrorsFatal) return null;
      throw error;
    }
  }

  /** Stores a result, and returns what the server made of it. */
  async storeResult(actionDigest: Digest, actionResult: object): Promise<Api<"ActionResult">> {
    return this.#connection.unary(UPDATE_RESULT, this.#named({ actionDigest, actionResult }));
  }

  /** Runs an action and waits for its end, over streams that break as well. */
  async execute(actionDigest: Digest, wishes: ResultWishes = {}): Promise<Api<"ActionResult">> {
    let name = "";
    let broken: unknown = null;
    for (let streams = 0; streams < MOST_STREAMS; streams++) {
      const waits = this.#manner.waits && name !== "";
      const operations = waits
        ? this.#connection.stream<Operation>(WAIT, { name })
        : this.#connection.stream<Operation>(EXECUTE, this.#named({ actionDigest, ...wishes }));
      try {
        for await (const operation of operations) {
          name = operation.name;
          if (operation.done) return this.#resultOf(operation);
        }
        broken = new CallFailed(EXECUTE, Status.UNKNOWN, "the stream ended before the operation", null);
      } catch (error) {
        if (!(error instanceof CallFailed && error.is(Status.UNAVAILABLE))) throw error;
        broken = error;
      }
    }
    throw broken;
  }

  #resultOf({ error, response }: Operation): Api<"ActionResult"> {
    if (error !== null) throw failed(error);
    const name = "build.bazel.remote.execution.v2.ExecuteResponse";
    const answer = unpackAny(this.#connection.codec, name, response);
    if (answer?.status && answer.status.code !== Status.OK) throw failed(answer.status);
    if (answer?.result) return answer.result;
    throw new CallFailed(EXECUTE, Status.UNKNOWN, "the operation ended without a result", null);
  }

  #named(fields: object) {
    const { namesFunction, digestFunction } = this.#manner;
    const number = namesFunction ? digestFunction.number : 0;
    return { instanceName: this.#instance, ...fields, digestFunction: number };
  }
}

/** An operation that failed has a status of its own. */
function failed({ code, message, details }: Messages["google.rpc.Status"]): CallFailed {
  const plain = details.map(({ typeUrl, value }) => ({ typeUrl, value: Buffer.from(value) }));
  return new CallFailed(EXECUTE, code, message, { code, message, details: plain });
}
