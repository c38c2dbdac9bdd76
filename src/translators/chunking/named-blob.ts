/** SpliceBlob without the digest of the blob, as drafts of 2.12 allowed (D22). */
import { encodeDigest } from "../../wire/digest.ts";
import { digestIn } from "../../wire/fields.ts";
import { rewriteMessage } from "../../wire/rewrite.ts";
import { Walker } from "../../wire/walker.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Call, Edit, FirstMessage } from "../translator.ts";
import { SpliceRequestField } from "./chunk-list.ts";
import { spliceRequest } from "./requests.ts";
import { digestOfChunks } from "./splice.ts";

/** Whether a request leaves the digest out, as far as it shows. */
export function leavesOutBlob({ bytes, whole }: FirstMessage): boolean {
  try {
    const digest = digestIn(bytes, SpliceRequestField.blob);
    return digest === null || digest.hash === "";
  } catch (error) {
    if (error instanceof WireError) return !whole;
    throw error;
  }
}

/**
 * The request with the digest of what its chunks make, for which they are read; null where it has one.
 * @throws what `digestOfChunks` throws.
 */
export async function withBlob(request: Buffer, call: Call, tooLong: () => Error): Promise<Edit> {
  if (!leavesOutBlob({ bytes: request, whole: true, length: request.length })) return null;
  const { what, port } = await spliceRequest(request, call, tooLong);
  const blob = await digestOfChunks(what.chunks, { port, budget: call.budget });
  return rewriteMessage(
    new Walker(request),
    ({ number }) => (number === SpliceRequestField.blob ? "drop" : "keep"),
    (out) => out.bytes(SpliceRequestField.blob, encodeDigest(blob)),
  );
}
