/** Stores the blobs that the bridge makes, where the upstream lacks them. */
import type { Blob } from "../upstream/port.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import { Status } from "../wire/status.ts";
import type { Prepared } from "./prepare.ts";
import type { Scope } from "./scope.ts";
import type { SharedUploads } from "./shared-uploads.ts";
import { missingBlobs } from "./store-reader.ts";

/** How an action gets stored. */
interface Storing {
  /** The same action, with the bytes of all that is made at hand. */
  afresh(scope: Scope, prepared: Prepared): Promise<Prepared>;
  readonly uploads: SharedUploads;
}

/**
 * Sees to it that all an action needs is stored: what the bridge made is uploaded where it is missing, what the client made has to be there. `known` says
 * that nobody has to ask for the client's own blobs. Returns whether anything had to be stored.
 * @throws BridgeError `action-missing` for blobs of the client's own; UpstreamError if the upstream does not take a blob, with its digest in the message.
 */
export async function storeMade(
  scope: Scope,
  prepared: Prepared,
  known: boolean,
  runs: Storing,
): Promise<boolean> {
  const own = known ? [] : [prepared.action, ...(prepared.command === null ? [] : [prepared.command])];
  const missing = await scope.port.findMissing([...own, ...prepared.made.map(({ digest }) => digest)]);
  if (missing.length === 0) return false;
  const keys = new Set(missing.map(formatDigest));
  const lost = own.filter((digest) => keys.has(formatDigest(digest)));
  if (lost.length > 0) throw missingBlobs(lost, scope.subjectFunction);
  let wanted = prepared.made.filter(({ digest }) => keys.has(formatDigest(digest)));
  if (wanted.some(({ bytes }) => bytes === null)) {
    const { made } = await runs.afresh(scope, prepared);
    wanted = made.filter(({ digest }) => keys.has(formatDigest(digest)));
  }
  await runs.uploads.store(
    scope,
    wanted.map(({ digest, bytes }) => ({ digest, bytes: bytes! })),
  );
  return true;
}

/** Stores blobs. @throws UpstreamError that says which blob the upstream does not take, where it takes none. */
export async function writeMade({ port, call }: Scope, blobs: readonly Blob[]): Promise<void> {
  try {
    await port.writeBlobs(blobs);
    call.count("stored", blobs.length);
  } catch (error) {
    if (!(error instanceof UpstreamError) || !REFUSALS.includes(error.code)) throw error;
    const message = `the upstream does not take the blob ${names(blobs)}, which the bridge made for it of the client's own: ${error.message}`;
    throw new UpstreamError(error.code, message, undefined, error.cause);
  }
}

const REFUSALS: readonly number[] = [
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.UNIMPLEMENTED,
  Status.INVALID_ARGUMENT,
];

function names(blobs: readonly { readonly digest: Digest }[]): string {
  const [first, ...others] = blobs;
  const more = others.length === 0 ? "" : ` or one of ${others.length} others`;
  return `${formatDigest(first!.digest)}${more}`;
}
