import { formatResourceName, parseResourceName } from "../../wire/resource-name.ts";
import { Status } from "../../wire/status.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { WireError } from "../../wire/wire-error.ts";
import { CallError } from "../messages/call-error.ts";

const BYTE_STREAM = "/google.bytestream.ByteStream/";
const OF_THE_API = "/build.bazel.remote.";
/** Its field 1 is the name of an operation. */
const WAIT_EXECUTION = "/build.bazel.remote.execution.v2.Execution/WaitExecution";

const TWICE = "field 1 of the first message comes twice: its instance cannot be told";

/** Whether messages of the method at `path` say in field 1 for which instance they are. */
export function namesInstance(path: string): boolean {
  return path.startsWith(BYTE_STREAM) || (path.startsWith(OF_THE_API) && path !== WAIT_EXECUTION);
}

/** The instance in the text of field 1 of a method that {@link namesInstance}; empty where none can be told. */
export function instanceIn(path: string, text: string): string {
  return path.startsWith(BYTE_STREAM) ? (parseResourceName(text)?.instance ?? "") : text;
}

/** That text with the instance as `rename` gives it; names of streams that are no blobs stay as they are (D48). */
export function withInstance(path: string, text: string, rename: (instance: string) => string): string {
  if (!path.startsWith(BYTE_STREAM)) return rename(text);
  const name = parseResourceName(text);
  if (name === null) return text;
  const instance = rename(name.instance);
  return instance === name.instance ? text : formatResourceName({ ...name, instance });
}

/**
 * The instance that the first message of a call names: in the resource name of ByteStream, in field 1 of the services of this API. Empty where there
 * is none, or none that can be told.
 * @param sole Whether the way of the call goes by it: then none may be named twice, or the bridge and the upstream could take different ones.
 * @throws CallError INVALID_ARGUMENT where one is, if `sole`.
 */
export function instanceOf(path: string, message: Buffer, sole = false): string {
  if (!namesInstance(path)) return "";
  try {
    const field = new Walker(message);
    let found: string | null = null;
    while (field.next()) {
      if (field.number !== 1 || field.wireType !== WireType.LEN) continue;
      if (sole && found !== null) throw new CallError(Status.INVALID_ARGUMENT, TWICE);
      // The last one counts where a field comes twice.
      found = field.text();
    }
    return instanceIn(path, found ?? "");
  } catch (error) {
    if (error instanceof WireError) return "";
    throw error;
  }
}
