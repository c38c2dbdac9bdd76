/** A fetched file under another digest function. */
import type { BridgeError } from "../../spec/bridge-error.ts";
import { decodeBinaryHeader } from "../../wire/binary-header.ts";
import { type Digest, encodeDigest } from "../../wire/digest.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { canHash, createHasher } from "../../wire/hasher.ts";
import { rewriteMessage } from "../../wire/rewrite.ts";
import { Walker } from "../../wire/walker.ts";
import type { Call, Edit } from "../translator.ts";
import { ReplyField } from "./messages.ts";

/** A file, and the function it is wanted under. */
interface Wanted {
  readonly digest: Digest;
  readonly made: DigestFunction;
  readonly wanted: DigestFunction;
  readonly call: Call;
  /** Why it cannot be had so, where its hash cannot be computed here. */
  readonly refusal: () => BridgeError;
}

/**
 * The FetchBlobResponse with the digest of the function that was asked for, under which the file is stored. It passes twice, of any length and in parts: its name
 * has to be known before it is stored.
 * @throws UpstreamError where it cannot be read or stored.
 */
export async function inFunction(message: Buffer, of: Wanted): Promise<Edit> {
  const { digest, made, wanted, call, refusal } = of;
  if (!canHash(wanted)) return refusedReply(message, refusal());
  const from = call.portFor(made.number);
  const to = call.portFor(wanted.number);
  const hasher = createHasher(wanted, digest.sizeBytes);
  for await (const part of from.streamBlob(digest)) hasher.update(part);
  const own = { hash: hasher.finish(), sizeBytes: digest.sizeBytes };
  const missing = await to.findMissing([own]);
  if (missing.length > 0) await to.writeBlob(own, from.streamBlob(digest));
  return rewriteMessage(
    new Walker(message),
    ({ number }) => (number === ReplyField.digest || number === ReplyField.digestFunction ? "drop" : "keep"),
    (out) => {
      out.bytes(ReplyField.digest, encodeDigest(own));
      out.varint(ReplyField.digestFunction, wanted.number);
    },
  );
}

/** The reply of Fetch with a refusal in place of the content: errors of a fetch stand in its status. */
export function refusedReply(message: Buffer, refusal: BridgeError): Edit {
  const { status, digest, digestFunction } = ReplyField;
  const replaced: readonly number[] = [status, digest, digestFunction];
  return rewriteMessage(
    new Walker(message),
    ({ number }) => (replaced.includes(number) ? "drop" : "keep"),
    (out) => out.bytes(status, decodeBinaryHeader(refusal.details)),
  );
}
