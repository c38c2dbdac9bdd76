/** An engine at work on an upstream in memory. */
import { type EngineParts, engineCalls } from "../../../src/actions/engine.ts";
import { Memory } from "../../../src/actions/memory.ts";
import { type ActionStep, bindStep } from "../../../src/actions/transform.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import {
  CANCEL_OPERATION,
  EXECUTE,
  GET_ACTION_RESULT,
  GET_OPERATION,
  UPDATE_ACTION_RESULT,
  WAIT_EXECUTION,
} from "../../../src/translators/methods.ts";
import type { Call, ContentHooks } from "../../../src/translators/translator.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import type { Digest } from "../../../src/wire/digest.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { call, client, plan, server } from "../../translators/support.ts";

export const V2 = "build.bazel.remote.execution.v2";
export const OPERATION = "google.longrunning.Operation";
const EXECUTE_RESPONSE = `type.googleapis.com/${V2}.ExecuteResponse`;
const METADATA = `type.googleapis.com/${V2}.ExecuteOperationMetadata`;

type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;
type Response = Draft<Messages[`${typeof V2}.ExecuteResponse`]>;

/** A digest as messages have it. */
export interface MessageDigest {
  readonly hash: string;
  readonly sizeBytes: bigint;
}

/** An upstream that counts what it is asked for, and runs what it is given. */
export class Farm extends MemoryUpstream {
  /** Blobs that were asked for, by `hash/size`, in order. */
  readonly read: string[] = [];
  /** Calls of each kind. */
  readonly calls = { read: 0, find: 0, write: 0 };
  /** What executions end in. */
  response: Response = { result: { exitCode: 0 } };

  constructor() {
    super();
    this.onExecute = (request) => [this.operation(actionOf(request))];
  }

  /** A finished operation of an action, which the upstream remembers. */
  operation(actionDigest: MessageDigest, response: Response = this.response): Buffer {
    const name = `operations/${this.operations.size}`;
    const operation = codec().encode(OPERATION, {
      name,
      done: true,
      metadata: {
        typeUrl: METADATA,
        value: codec().encode(`${V2}.ExecuteOperationMetadata`, { stage: 4, actionDigest }),
      },
      response: { typeUrl: EXECUTE_RESPONSE, value: codec().encode(`${V2}.ExecuteResponse`, response) },
    });
    this.operations.set(name, operation);
    return operation;
  }

  override readBlobs(
    ...args: Parameters<MemoryUpstream["readBlobs"]>
  ): ReturnType<MemoryUpstream["readBlobs"]> {
    this.calls.read++;
    for (const { hash, sizeBytes } of args[0]) this.read.push(`${hash}/${sizeBytes}`);
    return super.readBlobs(...args);
  }

  override findMissing(digests: readonly Digest[]): Promise<Digest[]> {
    this.calls.find++;
    return super.findMissing(digests);
  }

  override writeBlobs(...args: Parameters<MemoryUpstream["writeBlobs"]>): Promise<void> {
    this.calls.write++;
    return super.writeBlobs(...args);
  }

  store(bytes: Buffer): MessageDigest {
    const { hash, sizeBytes } = this.put(bytes);
    return { hash, sizeBytes: BigInt(sizeBytes) };
  }

  directory(...children: MessageDigest[]): MessageDigest {
    const directories = children.map((digest, index) => ({ name: `${index}`, digest }));
    return this.store(codec().encode(`${V2}.Directory`, { directories }));
  }

  /** Stores an action; its digest. */
  action(
    root: MessageDigest | null = null,
    argument = "a",
    more: Draft<Messages[`${typeof V2}.Action`]> = {},
  ): MessageDigest {
    const commandDigest = this.store(codec().encode(`${V2}.Command`, { arguments: [argument] }));
    return this.store(codec().encode(`${V2}.Action`, { commandDigest, inputRootDigest: root, ...more }));
  }

  /** What the upstream was asked to run, the first time and later. */
  get ran(): MessageDigest[] {
    return this.executed.map(actionOf);
  }

  /** The Command of an action that is stored. */
  commandOf(actionDigest: MessageDigest) {
    const action = codec().decode(`${V2}.Action`, this.blobs.get(key(actionDigest))!);
    return codec().decode(`${V2}.Command`, this.blobs.get(key(action.commandDigest!))!);
  }
}

/** `hash/size`. */
export function key({
  hash,
  sizeBytes,
}: {
  readonly hash: string;
  readonly sizeBytes: bigint | number;
}): string {
  return `${hash}/${sizeBytes}`;
}

/** The action that an ExecuteRequest names. */
function actionOf(request: Buffer): MessageDigest {
  const { hash, sizeBytes } = codec().decode(`${V2}.ExecuteRequest`, request).actionDigest!;
  return { hash, sizeBytes };
}

const PAIR = plan(client(), server()).pair;

/** The engine of these hooks, and what it shares with others. */
export function engineOf(
  hooks: readonly ContentHooks[],
  parts: Partial<Omit<EngineParts, "steps">> = {},
): ReturnType<typeof engineCalls> {
  const steps: ActionStep[] = hooks.map((each) => bindStep(each, PAIR));
  return engineCalls({
    steps,
    checks: [],
    manner: {},
    plan: "test",
    memory: new Memory(),
    aliases: false,
    ...parts,
  });
}

/** All messages of the response of a call that the engine serves. */
export async function ask(
  engine: ReturnType<typeof engineCalls>,
  path: string,
  request: Buffer,
  upstream: MemoryUpstream,
  of: Partial<Call> = {},
): Promise<Buffer[]> {
  const serve = engine.get(path);
  const forward = (message: Buffer): AsyncIterable<Buffer> => forwarded(path, message, upstream);
  const asked = { ...call(path, upstream), ...of };
  return collect(serve === undefined ? forward(request) : serve(request, asked, forward));
}

async function* forwarded(path: string, request: Buffer, upstream: MemoryUpstream): AsyncGenerator<Buffer> {
  const name = (): string => codec().decode("google.longrunning.GetOperationRequest", request).name;
  switch (path) {
    case EXECUTE:
      yield* upstream.execute(request);
      break;
    case WAIT_EXECUTION:
      yield* upstream.waitExecution(name());
      break;
    case GET_OPERATION:
      yield await upstream.getOperation(name());
      break;
    case CANCEL_OPERATION:
      await upstream.cancelOperation(name());
      yield Buffer.alloc(0);
      break;
    case GET_ACTION_RESULT:
      yield await upstream.getActionResult(request);
      break;
    case UPDATE_ACTION_RESULT:
      yield await upstream.updateActionResult(request);
      break;
    default:
      throw new UpstreamError(Status.UNIMPLEMENTED, path);
  }
}

/** Executes an action; the operations as the client gets them. */
export async function execute(
  engine: ReturnType<typeof engineCalls>,
  upstream: MemoryUpstream,
  actionDigest: MessageDigest,
  of: Partial<Call> = {},
) {
  const request = codec().encode(`${V2}.ExecuteRequest`, { actionDigest });
  return (await ask(engine, EXECUTE, request, upstream, of)).map(readOperation);
}

/** The cached result of an action, as the client gets it. */
export async function lookUp(
  engine: ReturnType<typeof engineCalls>,
  upstream: MemoryUpstream,
  actionDigest: MessageDigest,
) {
  const request = codec().encode(`${V2}.GetActionResultRequest`, { actionDigest });
  const [result] = await ask(engine, GET_ACTION_RESULT, request, upstream);
  return codec().decode(`${V2}.ActionResult`, result!);
}

/** An operation with what it holds. */
export function readOperation(bytes: Buffer) {
  const operation = codec().decode(OPERATION, bytes);
  const { metadata, response } = operation;
  return {
    bytes,
    name: operation.name,
    done: operation.done,
    actionDigest:
      metadata === null
        ? null
        : { ...codec().decode(`${V2}.ExecuteOperationMetadata`, metadata.value).actionDigest },
    response: response === null ? null : codec().decode(`${V2}.ExecuteResponse`, response.value),
  };
}

/** Adds an argument to each command that lacks it: what is rewritten, and leaves alone what was. */
export const addsArgument = (argument = "added"): ContentHooks => ({
  action({ command }) {
    const read = codec().decode(`${V2}.Command`, command);
    if (read.arguments.includes(argument)) return null;
    return {
      command: [codec().encode(`${V2}.Command`, { ...read, arguments: [...read.arguments, argument] })],
    };
  },
});

/** Sets the exit code of results to 7, unless it is that. */
export const seven: ContentHooks = {
  result(result) {
    const edited = codec().encode(`${V2}.ActionResult`, { exitCode: 7 } satisfies Result);
    return result.equals(edited) ? null : [edited];
  },
};

/** Takes the files called `a` away: Directories that hold one are rewritten, and all above them. */
export const withoutA: ContentHooks = {
  directory(directory) {
    const read = codec().decode(`${V2}.Directory`, directory);
    const files = read.files.filter(({ name }) => name !== "a");
    if (files.length === read.files.length) return null;
    return [codec().encode(`${V2}.Directory`, { ...read, files })];
  },
};
