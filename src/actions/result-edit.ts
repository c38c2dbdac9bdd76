/** Opens the ActionResults in responses, wherever they lie, and lets hooks edit them. */
import {
  EXECUTE,
  GET_ACTION_RESULT,
  GET_OPERATION,
  UPDATE_ACTION_RESULT,
  WAIT_EXECUTION,
  WAIT_OPERATION,
} from "../translators/methods.ts";
import type { Call, Edit, Originals } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, readDigest } from "../wire/digest.ts";
import { DIGEST_FUNCTIONS } from "../wire/digest-function.ts";
import { digestOf } from "../wire/hasher.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";

/** Edits an ActionResult; null leaves it as it is. */
export type ResultHook = (result: Buffer, originals: Originals) => Edit | Promise<Edit>;

const EXECUTE_RESPONSE = "/build.bazel.remote.execution.v2.ExecuteResponse";
const SCRATCH = "action-digest";
/** The most bytes of an Action or Command that is read for a hook. */
const MOST_BYTES = 16 << 20;

/** A step down from one message to one inside of it. */
interface Down {
  readonly number: number;
  /** Whether the message has what is looked for at all. */
  readonly if?: (message: Buffer) => boolean;
}

/** Operation.response, the value of that Any, ExecuteResponse.result. */
const IN_OPERATION: readonly Down[] = [{ number: 5 }, { number: 2, if: isExecuteResponse }, { number: 1 }];

/** Where the ActionResult is in the responses of each method that has one, and where its Action is named in the request. */
const RESULTS: Readonly<
  Record<string, { readonly result: readonly Down[]; readonly digest: number | null }>
> = {
  [GET_ACTION_RESULT]: { result: [], digest: 2 },
  [UPDATE_ACTION_RESULT]: { result: [], digest: 2 },
  [EXECUTE]: { result: IN_OPERATION, digest: 6 },
  [WAIT_EXECUTION]: { result: IN_OPERATION, digest: null },
  [GET_OPERATION]: { result: IN_OPERATION, digest: null },
  [WAIT_OPERATION]: { result: IN_OPERATION, digest: null },
};

/** Methods whose responses hold ActionResults that can be edited. */
export const WITH_RESULTS: readonly string[] = Object.keys(RESULTS);

/** Notes which Action a request is about, for hooks that want to read it. */
export function noteAction(message: Buffer, { method, scratch }: Call): null {
  const number = RESULTS[method]?.digest;
  const field = new Walker(message);
  while (field.next()) {
    if (field.number === number && field.wireType === WireType.LEN)
      scratch.set(SCRATCH, readDigest(field.enter()));
  }
  return null;
}

/** A response in which `hooks`, in this order, have edited the ActionResult; null if there is none or nothing changes. */
export function editResult(message: Buffer, call: Call, hooks: readonly ResultHook[]): Promise<Edit> {
  const originals = originalsOf(call);
  return editAt(message, RESULTS[call.method]?.result ?? [], async (result) => {
    let current = result;
    for (const hook of hooks) {
      const edit = await hook(current, originals);
      if (edit !== null) current = Buffer.concat(edit);
    }
    return current === result ? null : [current];
  });
}

/** Edits the message at the end of a way down. Of a field that comes twice the last counts, as for every reader of its parts. */
async function editAt(
  message: Buffer,
  way: readonly Down[],
  edit: (found: Buffer) => Promise<Edit>,
): Promise<Edit> {
  const [step, ...rest] = way;
  if (step === undefined) return edit(message);
  if (step.if?.(message) === false) return null;
  let at = -1;
  let found: Buffer | null = null;
  const field = new Walker(message);
  while (field.next()) {
    if (field.number !== step.number || field.wireType !== WireType.LEN) continue;
    at = field.fieldStart;
    found = field.bytes();
  }
  const edited = found === null ? null : await editAt(found, rest, edit);
  if (edited === null) return null;
  return rewriteMessage(new Walker(message), (current, out) => {
    if (current.fieldStart !== at) return "keep";
    out.message(step.number, edited);
    return "drop";
  });
}

function isExecuteResponse(any: Buffer): boolean {
  let typeUrl = "";
  const field = new Walker(any);
  while (field.next()) if (field.number === 1 && field.wireType === WireType.LEN) typeUrl = field.text();
  return typeUrl.endsWith(EXECUTE_RESPONSE);
}

/** The client's Action and Command, read when they are first asked for. */
function originalsOf({ port, scratch }: Call): Originals {
  const read = async (digest: Digest | null): Promise<Buffer | null> => {
    if (digest === null) return null;
    try {
      return await port.readBlob(digest, MOST_BYTES);
    } catch (error) {
      if (error instanceof UpstreamError) return null;
      throw error;
    }
  };
  let action: Promise<Buffer | null> | undefined;
  let command: Promise<Buffer | null> | undefined;
  const readAction = () => (action ??= read((scratch.get(SCRATCH) as Digest | undefined) ?? null));
  const readCommand = () =>
    (command ??= readAction().then((bytes) => read(bytes === null ? null : commandOf(bytes))));
  return {
    port,
    action: readAction,
    command: readCommand,
    foreign: false,
    digestOf: (bytes) => digestOf(bytes, DIGEST_FUNCTIONS[0]!),
    read: (digest) => port.readBlob(digest, MOST_BYTES),
    async derive(_, make) {
      const { value, blobs } = await make();
      await port.writeBlobs(blobs);
      return value;
    },
  };
}

function commandOf(action: Buffer): Digest | null {
  const field = new Walker(action);
  while (field.next())
    if (field.number === 1 && field.wireType === WireType.LEN) return readDigest(field.enter());
  return null;
}
