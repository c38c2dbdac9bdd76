import type { Digest } from "../wire/digest.ts";
import { inParallel } from "./in-parallel.ts";
import type { BlobParts, BlobStored } from "./port.ts";
import { STREAMS_AT_A_TIME } from "./read-blobs.ts";
import type { Session } from "./session.ts";
import { streamIn } from "./stream-in.ts";
import { UpstreamError } from "./upstream-error.ts";

/** As `Upstream.storeEach`. */
export function storeEach(
  session: Session,
  blobs: Iterable<BlobParts>,
): AsyncGenerator<BlobStored, void, void> {
  return inParallel(blobs, STREAMS_AT_A_TIME, ({ digest, parts }, stop) =>
    outcomeOf(digest, () => streamIn(session, digest, parts, stop)),
  );
}

async function outcomeOf(digest: Digest, work: () => Promise<void>): Promise<BlobStored> {
  try {
    await work();
    return { digest, error: null };
  } catch (error) {
    if (error instanceof UpstreamError) return { digest, error };
    throw error;
  }
}
