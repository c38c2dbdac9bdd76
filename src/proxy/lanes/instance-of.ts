import { parseResourceName } from "../../wire/resource-name.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { WireError } from "../../wire/wire-error.ts";

const BYTE_STREAM = "/google.bytestream.ByteStream/";
const OF_THE_API = "/build.bazel.remote.";
/** Its field 1 is the name of an operation. */
const WAIT_EXECUTION = "/build.bazel.remote.execution.v2.Execution/WaitExecution";

/**
 * The instance that the first message of a call names: in the resource name of ByteStream, in field 1 of the services of this API. Empty where there
 * is none, or none that can be told.
 */
export function instanceOf(method: string, message: Buffer): string {
  const stream = method.startsWith(BYTE_STREAM);
  if (!stream && (!method.startsWith(OF_THE_API) || method === WAIT_EXECUTION)) return "";
  try {
    const field = new Walker(message);
    let first = "";
    // The last one counts where a field comes twice.
    while (field.next()) if (field.number === 1 && field.wireType === WireType.LEN) first = field.text();
    return stream ? (parseResourceName(first)?.instance ?? "") : first;
  } catch (error) {
    if (error instanceof WireError) return "";
    throw error;
  }
}
