/** What a client makes of an execution that lacks blobs (D07). */

import { parseResourceName } from "../wire/resource-name.ts";
import { Status } from "../wire/status.ts";
import type { Blob } from "./blob.ts";
import type { CallFailed } from "./call-failed.ts";
import type { Manner } from "./manner.ts";

const SHORT = /^blobs\/([0-9a-f]+)\/(\d+)$/;

/**
 * The blobs to upload again after this failure: FAILED_PRECONDITION with violations of type MISSING, whose subjects the client can read and
 * has. Null if the failure stands.
 */
export function reuploads(failure: CallFailed, blobs: readonly Blob[], { missing }: Manner): Blob[] | null {
  if (!missing.uploadsAgain || !failure.is(Status.FAILED_PRECONDITION)) return null;
  const { violations } = failure;
  const named = violations.filter(({ type }) => type === "MISSING");
  if (named.length === 0 || (missing.otherTypesFatal && named.length < violations.length)) return null;
  const again = new Set<Blob>();
  for (const { subject } of named) {
    const hash = missing.shortSubjects ? SHORT.exec(subject)?.[1] : parseResourceName(subject)?.digest.hash;
    const blob = blobs.find(({ digest }) => digest.hash === hash);
    if (blob === undefined) return null;
    again.add(blob);
  }
  return [...again];
}
