/** Finds out which blobs of an action are missing, for upstreams that do not say so in the way clients go by (D07, lift L11). */
import { childrenOf, filesOf } from "../tree/directory.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import { preconditionFailureDetail } from "../wire/error-details.ts";
import { digestIn } from "../wire/fields.ts";
import { Status } from "../wire/status.ts";
import { detailType, encodeStatusDetails } from "../wire/status-details.ts";
import { MOST_MESSAGE_BYTES, type Scope } from "./scope.ts";
import { isTold } from "./status-of.ts";
import { violationOf } from "./store-reader.ts";

/** The most blobs that are asked about for one action, and that are told to be missing. */
const MOST_BLOBS = 200_000;
const MOST_TOLD = 1_000;

/** Field numbers of Action. */
const ActionField = { command: 1, inputRoot: 2 } as const;

/**
 * A failure of an execution with a MISSING violation for each blob of the action that is not stored, in the client's own digests. The very error that was
 * given, if it tells that already, speaks of something else, or nothing is missing.
 */
export async function withMissing(error: unknown, scope: Scope, action: Digest): Promise<unknown> {
  if (!(error instanceof UpstreamError) || !mayBeMissing(error)) return error;
  let missing: Digest[];
  try {
    missing = await missingOf(scope, action);
  } catch (failure) {
    if (isTold(failure)) return error;
    throw failure;
  }
  if (missing.length === 0) return error;
  const violations = missing.slice(0, MOST_TOLD).map((digest) => violationOf(digest, scope.subjectFunction));
  const code = Status.FAILED_PRECONDITION;
  const { message } = error;
  const details = [...error.details, preconditionFailureDetail(violations)];
  return new UpstreamError(code, message, encodeStatusDetails({ code, message, details }), error.cause);
}

function mayBeMissing({ code, details }: UpstreamError): boolean {
  if (code === Status.NOT_FOUND) return true;
  return (
    code === Status.FAILED_PRECONDITION &&
    details.every((detail) => detailType(detail) !== "google.rpc.PreconditionFailure")
  );
}

/** The blobs of an action that are not stored, as far as its messages can be read. @throws UpstreamError, WireError. */
async function missingOf(scope: Scope, action: Digest): Promise<Digest[]> {
  const [lost] = await scope.port.findMissing([action]);
  if (lost !== undefined) return [action];
  const message = await scope.port.readBlob(action, MOST_MESSAGE_BYTES);
  const asked = new Map<string, Digest>();
  const ask = (digest: Digest | null): boolean => {
    if (digest === null || digest.hash === "" || digest.sizeBytes === 0) return false;
    if (asked.has(formatDigest(digest)) || asked.size >= MOST_BLOBS) return false;
    asked.set(formatDigest(digest), digest);
    return true;
  };
  ask(digestIn(message, ActionField.command));
  const root = digestIn(message, ActionField.inputRoot);
  let level = ask(root) ? [root!] : [];
  while (level.length > 0) {
    const next: Digest[] = [];
    for await (const read of scope.port.readBlobs(level, MOST_MESSAGE_BYTES)) {
      // What cannot be read is told by the question below.
      if (!("bytes" in read)) continue;
      for (const digest of filesOf(read.bytes)) ask(digest);
      for (const { digest } of childrenOf(read.bytes)) if (ask(digest)) next.push(digest);
    }
    level = next;
  }
  return scope.port.findMissing([...asked.values()]);
}
