/** Reads the messages of an action from the store; what is not there ends the call as a server would end it (R8). */
import { BridgeError } from "../spec/bridge-error.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import { digestFunctionByNumber } from "../wire/digest-function.ts";
import type { Violation } from "../wire/error-details.ts";
import { Status } from "../wire/status.ts";
import { MOST_MESSAGE_BYTES, type Scope } from "./scope.ts";

const EMPTY = Buffer.alloc(0);

/** One message. @throws BridgeError `action-missing`, UpstreamError if reading fails otherwise. */
export async function readMessage(scope: Scope, digest: Digest): Promise<Buffer> {
  for await (const { bytes } of readMessages(scope, [digest])) return bytes;
  throw missingBlobs([digest], scope.subjectFunction);
}

/** Messages in any order, each once, with the digests by which they were asked for. Throws as {@link readMessage}. */
export async function* readMessages(
  scope: Scope,
  digests: readonly Digest[],
): AsyncGenerator<{ readonly digest: Digest; readonly bytes: Buffer }, void, void> {
  const wanted: Digest[] = [];
  for (const digest of digests) {
    // One of no bytes is not asked for: since 2.2 clients need not store it (D13).
    if (digest.sizeBytes === 0) yield { digest, bytes: EMPTY };
    else wanted.push(lowered(digest));
  }
  if (wanted.length === 0) return;
  const missing: Digest[] = [];
  for await (const read of scope.port.readBlobs(wanted, MOST_MESSAGE_BYTES)) {
    if ("bytes" in read) yield read;
    else if (read.error.code === Status.NOT_FOUND) missing.push(read.digest);
    else throw read.error;
  }
  if (missing.length > 0) throw missingBlobs(missing, scope.subjectFunction);
}

/** The refusal of an action whose own blobs are not stored: it lists what the client has to upload. */
export function missingBlobs(digests: readonly Digest[], functionNumber: number): BridgeError {
  return new BridgeError({
    code: "action-missing",
    feature: "missing-blobs",
    drift: "D07",
    used: `${digests.length === 1 ? `The blob ${formatDigest(digests[0]!)}` : `${digests.length} blobs`} of the action`,
    since: null,
    has: "the upstream does not have it, and it has to be read before the action can run",
    fix: "upload what the details list",
    field: null,
    missing: digests.map((digest) => violationOf(digest, functionNumber)),
  });
}

/** The violation of a blob that is missing (D07): its subject names the function only if that is newer than the first seven. */
export function violationOf(digest: Digest, functionNumber: number): Violation {
  const digestFunction = digestFunctionByNumber(functionNumber);
  const segment = digestFunction === undefined || digestFunction.implicit ? "" : `${digestFunction.segment}/`;
  return { type: "MISSING", subject: `blobs/${segment}${formatDigest(digest)}`, description: "" };
}

/** Hashes are read in lower case, whatever their text: what to make of upper case is for `hash-text`. */
function lowered({ hash, sizeBytes }: Digest): Digest {
  return { hash: hash.toLowerCase(), sizeBytes };
}
