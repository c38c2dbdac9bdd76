/** What becomes of the ActionResult in an UpdateActionResultRequest before it is stored (D52). */

import type { Blob } from "../../upstream/port.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { canHash, digestOf } from "../../wire/hasher.ts";
import { joined, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { type Output, type OutputEdit, outputsIn, withOutputs } from "../result-data.ts";
import type { Call, Edit } from "../translator.ts";
import { editUpdate, type ResultStore } from "../update-request.ts";

/** ActionResult.exit_code, stdout_raw and stderr_raw: fields that are not there once they have their default. */
const DEFAULTS: readonly number[] = [4, 5, 7];
const METADATA = 9;
const WORKER = 1;
/** A server would put the name of a worker there. */
const NO_WORKER = "unknown";

const EMPTY = Buffer.alloc(0);

/** The request with a result that names data by digest, which are stored first: a server would give them to everybody who looks the result up. */
export function withDigests(request: Buffer, call: Call): Promise<Edit> {
  return editUpdate(request, call, (result, store) => moveOut(result, store, call));
}

/** The request with a result that is no empty message, as that of an action without outputs is that succeeded, and that names data by digest. */
export function withContent(request: Buffer, call: Call): Promise<Edit> {
  return editUpdate(request, call, async (result, store) => {
    const moved = await moveOut(result, store, call);
    return fill(joined(moved, result)) ?? moved;
  });
}

/** What cannot be stored, and what a digest contradicts, stays where it is: the server takes either. */
async function moveOut(result: Buffer, { port, fn }: ResultStore, { log }: Call): Promise<Edit> {
  if (!canHash(fn)) return null;
  const edits = new Map<Output, OutputEdit>();
  const blobs: Blob[] = [];
  for (const output of outputsIn(result)) {
    const { data, digest } = output;
    if (data.length === 0) continue;
    const { hash, sizeBytes } = digestOf(data, fn);
    if (digest !== null && (digest.hash !== hash || digest.sizeBytes !== sizeBytes)) continue;
    blobs.push({ digest: { hash, sizeBytes }, bytes: data });
    edits.set(output, { data: EMPTY, ...(digest === null && { digest: { hash, sizeBytes } }) });
  }
  if (blobs.length === 0) return null;
  try {
    await port.writeBlobs(blobs);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    log.debug({ reason: error.message }, "the upstream did not take the data inside of a result");
    return null;
  }
  return withOutputs(result, edits);
}

function fill(result: Buffer): Edit {
  const field = new Walker(result);
  while (field.next()) if (!isDefault(field)) return null;
  return rewriteMessage(
    new Walker(result),
    () => "keep",
    (out) => {
      out.bytes(METADATA, metadata());
    },
  );
}

/** Whether a server that writes the message anew leaves the field out. */
function isDefault({ number, wireType, buffer, start, end }: Walker): boolean {
  if (!DEFAULTS.includes(number)) return false;
  if (wireType === WireType.LEN) return start === end;
  return wireType === WireType.VARINT && buffer.subarray(start, end).every((byte) => (byte & 0x7f) === 0);
}

/** An ExecutedActionMetadata with a worker. */
function metadata(): Buffer {
  const out = new FieldWriter();
  out.text(WORKER, NO_WORKER);
  return out.toBuffer();
}
