/** What violations say of the bridge's own blobs, in the client's digests (R3, D07). */
import { UpstreamError } from "../upstream/upstream-error.ts";
import { isPacked } from "../wire/any.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import type { FieldWriter } from "../wire/field-writer.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { type Detail, detailType, encodeStatusDetails } from "../wire/status-details.ts";
import { Walker as Fields, type Walker, WireType } from "../wire/walker.ts";
import type { Prepared } from "./prepare.ts";

const PRECONDITION_FAILURE = "google.rpc.PreconditionFailure";
/** Field numbers of Status, Any, PreconditionFailure and its Violation. */
const Numbers = { details: 3, value: 2, violations: 1, subject: 2 } as const;

/** How violations are to name blobs. */
export interface ClientSubjects {
  /** The client's digests by those of what the bridge made, as `hash/size`. */
  readonly digests: ReadonlyMap<string, Digest>;
  /** Whether they leave the digest function out. */
  readonly short: boolean;
}

/** The client's digests by those of what the bridge made, as `hash/size`. */
export function clientDigests({ made, action }: Prepared): ReadonlyMap<string, Digest> {
  // A directory that the client has no like of is there for the action as a whole.
  return new Map(made.map(({ digest, standsFor }) => [formatDigest(digest), standsFor ?? action]));
}

/** A `google.rpc.Status` whose violations name blobs as the client does; null where nothing changes. @throws WireError for broken bytes. */
export function statusForClient(status: Buffer, subjects: ClientSubjects): readonly Buffer[] | null {
  if (isSame(subjects)) return null;
  return rewriteMessage(new Fields(status), (field, out) => {
    if (field.number !== Numbers.details || field.wireType !== WireType.LEN) return "keep";
    if (!isPacked(field.enter(), PRECONDITION_FAILURE)) return "keep";
    return rewriteField(field, out, (part, any) =>
      isAt(part, Numbers.value) ? rewriteField(part, any, violations(subjects)) : "keep",
    );
  });
}

/** A failed call as the client is to see it. */
export function errorForClient(error: unknown, subjects: ClientSubjects): unknown {
  if (!(error instanceof UpstreamError) || error.details.length === 0 || isSame(subjects)) return error;
  const status = { code: error.code, message: error.message, details: error.details as Detail[] };
  if (!status.details.some((detail) => detailType(detail) === PRECONDITION_FAILURE)) return error;
  const details = status.details.map((detail): Detail => {
    if (detailType(detail) !== PRECONDITION_FAILURE) return detail;
    const slices = rewriteMessage(new Fields(detail.value), violations(subjects));
    return slices === null ? detail : { ...detail, value: Buffer.concat(slices) };
  });
  return new UpstreamError(
    error.code,
    error.message,
    encodeStatusDetails({ ...status, details }),
    error.cause,
  );
}

function isSame({ digests, short }: ClientSubjects): boolean {
  return digests.size === 0 && !short;
}

function violations(subjects: ClientSubjects) {
  return (field: Walker, out: FieldWriter): "keep" | "drop" => {
    if (!isAt(field, Numbers.violations)) return "keep";
    return rewriteField(field, out, (part, violation) => {
      if (!isAt(part, Numbers.subject)) return "keep";
      const subject = part.text();
      const after = subjectForClient(subject, subjects);
      if (after === subject) return "keep";
      violation.text(Numbers.subject, after);
      return "drop";
    });
  };
}

/** `blobs/{hash}/{size}`, with a segment for newer functions. */
function subjectForClient(subject: string, { digests, short }: ClientSubjects): string {
  const parts = subject.split("/");
  if (parts[0] !== "blobs" || parts.length < 3) return subject;
  const named = parts.slice(-2).join("/");
  const digest = digests.get(named);
  const before = short && parts.length === 4 ? ["blobs"] : parts.slice(0, -2);
  return [...before, digest === undefined ? named : formatDigest(digest)].join("/");
}

function isAt({ number, wireType }: Walker, wanted: number): boolean {
  return number === wanted && wireType === WireType.LEN;
}
