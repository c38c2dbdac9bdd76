/** An UpdateActionResultRequest, for features that look into the result in it. */
import type { Upstream } from "../upstream/port.ts";
import { readDigest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Call, Edit } from "./translator.ts";

/** Field numbers of UpdateActionResultRequest. */
export const UpdateField = { actionDigest: 2, result: 3, resultsCachePolicy: 4, digestFunction: 5 } as const;

/** Where the blobs of the result are, and the function of their digests. */
export interface ResultStore {
  readonly port: Upstream;
  readonly fn: DigestFunction;
}

/**
 * A request whose result `edit` has changed; null if it changes nothing, and where the request names no action, so that nobody knows the function of its
 * digests. A request without a result has an empty one. Of a field that comes twice the last counts.
 * @throws what `edit` throws, WireError for broken bytes, UpstreamError for a digest of no function.
 */
export async function editUpdate(
  request: Buffer,
  call: Call,
  edit: (result: Buffer, store: ResultStore) => Edit | Promise<Edit>,
): Promise<Edit> {
  let result: Buffer = Buffer.alloc(0);
  let at = -1;
  let digest = null;
  let number = 0;
  const field = new Walker(request);
  while (field.next()) {
    if (field.number === UpdateField.digestFunction && field.wireType === WireType.VARINT)
      number = field.int32();
    if (field.wireType !== WireType.LEN) continue;
    if (field.number === UpdateField.actionDigest) digest = readDigest(field.enter());
    if (field.number !== UpdateField.result) continue;
    result = field.bytes();
    at = field.fieldStart;
  }
  if (digest === null || digest.hash === "") return null;
  const port = call.portFor(number);
  const edited = await edit(result, { port, fn: port.functionOf(digest) });
  if (edited === null) return null;
  return rewriteMessage(
    new Walker(request),
    ({ fieldStart }) => (fieldStart === at ? "drop" : "keep"),
    (out) => out.message(UpdateField.result, edited),
  );
}
