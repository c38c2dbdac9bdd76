/** What the messages of Fetch and Push have in common. */
import { digestIn, numberIn, payloadsOf, textIn } from "../../wire/fields.ts";
import { rewriteField, rewriteMessage } from "../../wire/rewrite.ts";
import { readStatus } from "../../wire/status-details.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { FETCH_BLOB, FETCH_DIRECTORY, PUSH_BLOB, PUSH_DIRECTORY } from "../methods.ts";
import type { Edit } from "../translator.ts";

/** Full name of the package. */
export const ASSET = "build.bazel.remote.asset.v1";

/** Methods that fetch, and those that push. */
export const FETCHES: readonly string[] = [FETCH_BLOB, FETCH_DIRECTORY];
export const PUSHES: readonly string[] = [PUSH_BLOB, PUSH_DIRECTORY];

/** The field of the qualifiers in each request, by path of the method. */
export const QUALIFIERS: Readonly<Record<string, number>> = {
  [FETCH_BLOB]: 5,
  [FETCH_DIRECTORY]: 5,
  [PUSH_BLOB]: 3,
  [PUSH_DIRECTORY]: 3,
};

/** The qualifier that says what the content must match. */
export const CHECKSUM = "checksum.sri";

/** Field numbers of FetchBlobResponse and FetchDirectoryResponse. */
export const ReplyField = { status: 1, digest: 5, digestFunction: 6 } as const;

/** What a reply of Fetch tells of the content. */
export interface Reply {
  /** A gRPC status code. */
  readonly code: number;
  readonly digest: ReturnType<typeof digestIn>;
  /** The number of the digest function; 0 where it is left out. */
  readonly digestFunction: number;
}

/** Reads a reply of Fetch. @throws WireError for broken bytes. */
export function readReply(message: Buffer): Reply {
  const statuses = payloadsOf(message, ReplyField.status);
  const { code } = readStatus(new Walker(Buffer.concat(statuses)));
  const digest = digestIn(message, ReplyField.digest);
  return { code, digest, digestFunction: numberIn(message, ReplyField.digestFunction) };
}

/** A qualifier as `edit` wants it: another value, or null for none at all. */
export type QualifierEdit = (name: string, value: string) => string | null;

/** A request with its qualifiers edited; null if none changes. @throws WireError for broken bytes. */
export function editQualifiers(message: Buffer, field: number, edit: QualifierEdit): Edit {
  return rewriteMessage(new Walker(message), (current, out) => {
    if (current.number !== field || current.wireType !== WireType.LEN) return "keep";
    const bytes = current.bytes();
    const value = textIn(bytes, 2);
    const edited = edit(textIn(bytes, 1), value);
    if (edited === value) return "keep";
    if (edited === null) return "drop";
    return rewriteField(
      current,
      out,
      ({ number }) => (number === 2 ? "drop" : "keep"),
      (qualifier) => qualifier.text(2, edited),
    );
  });
}
