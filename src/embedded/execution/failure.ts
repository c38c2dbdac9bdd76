/** Why an action could not be run, as the status of an ExecuteResponse says it (drift.md 6.5, D07). */
import { formatDigest } from "../../wire/digest.ts";
import { badRequestDetail, preconditionFailureDetail } from "../../wire/error-details.ts";
import { Status } from "../../wire/status.ts";
import type { ActionRules, NeededBlob } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import type { BlobDigest } from "../store/blob-store.ts";

/** The failure for a request, Action, Command or Directory that breaks the API. `field` is the path of what is wrong. */
export function invalid(field: string, description: string): CallError {
  const details = [badRequestDetail([{ field, description }])];
  return new CallError(Status.INVALID_ARGUMENT, `${field}: ${description}`, details);
}

/** Blobs are missing that the action needs. */
export class LackError extends CallError {}

/**
 * The failure for blobs that the action needs and the store lacks, in the form of the server (D07): one violation of type MISSING for each,
 * a text, or NOT_FOUND. Blobs of kinds that it does not look for by themselves are told by text.
 */
export function lacking(blobs: LackingBlobs, { as, of }: ActionRules["missing"]): LackError {
  const all = Object.values(blobs).flat();
  const named = of.flatMap((kind) => blobs[kind] ?? []);
  const { code, message, details } = missing(named.length > 0 ? named : all);
  if (as === "not-found") return new LackError(Status.NOT_FOUND, message);
  return new LackError(code, message, as === "missing" && named.length > 0 ? details : []);
}

/** Missing blobs by what they are needed for. */
export type LackingBlobs = { readonly [Kind in NeededBlob]?: readonly BlobDigest[] };

/** The failure for missing blobs: one violation of type MISSING for each. */
export function missing(blobs: readonly BlobDigest[]): CallError {
  const violations = blobs.map((blob) => ({ type: "MISSING", subject: subjectOf(blob), description: "" }));
  const first = violations[0]?.subject ?? "";
  const message =
    blobs.length === 1
      ? `${first} is not stored; upload it and execute again`
      : `${blobs.length} blobs are not stored, the first is ${first}; upload them and execute again`;
  return new CallError(Status.FAILED_PRECONDITION, message, [preconditionFailureDetail(violations)]);
}

/** `blobs/{hash}/{size}`, with the digest function before the hash where it is newer than the first seven. */
function subjectOf(blob: BlobDigest): string {
  const { implicit, segment } = blob.digestFunction;
  return `blobs/${implicit ? "" : `${segment}/`}${formatDigest(blob)}`;
}

/** Error codes of the system that say there is too little of something. */
const EXHAUSTED = new Set(["EAGAIN", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC"]);

/** Whether the system refused something for want of disk, memory, processes or files: nobody's mistake. */
export function isExhaustion(error: unknown): boolean {
  return EXHAUSTED.has((error as NodeJS.ErrnoException).code ?? "");
}

/**
 * What went wrong while files were handled, as a failure: what the caller's names or a lack of resources caused is told as such, the rest
 * is INTERNAL. A failure stays itself.
 */
export function failureOf(error: unknown): CallError {
  if (error instanceof CallError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENAMETOOLONG") return invalid("input_root", "a path is longer than this machine allows");
  if (isExhaustion(error)) {
    return new CallError(Status.RESOURCE_EXHAUSTED, `this machine is short of resources: ${message}`);
  }
  return new CallError(Status.INTERNAL, `the execution went wrong: ${message ?? String(error)}`);
}
