/** Single fields of messages, read and replaced. Of a field that comes twice the last one counts. */
import { type Digest, encodeDigest, readDigest } from "../wire/digest.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";

/** The digest in the field `number`; null if there is none or it is of nothing that could be read. @throws WireError for broken bytes. */
export function digestIn(message: Buffer, number: number): Digest | null {
  const bytes = bytesIn(message, number);
  return bytes === null ? null : readDigest(new Walker(bytes));
}

/** The payload of the field `number`; null if there is none. @throws WireError for broken bytes. */
export function bytesIn(message: Buffer, number: number): Buffer | null {
  let found: Buffer | null = null;
  const field = new Walker(message);
  while (field.next()) if (field.number === number && field.wireType === WireType.LEN) found = field.bytes();
  return found;
}

/** The number, enum or flag in the field `number`; 0 if there is none. @throws WireError for broken bytes. */
export function numberIn(message: Buffer, number: number): number {
  let found = 0;
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.VARINT) found = field.int32();
  return found;
}

/** The message with other digests in some fields; the very buffer where all are null. @throws WireError for broken bytes. */
export function withDigests(message: Buffer, digests: ReadonlyMap<number, Digest | null>): Buffer {
  const edits = [...digests].flatMap(([number, digest]) => (digest === null ? [] : [{ number, digest }]));
  if (edits.length === 0) return message;
  const slices = rewriteMessage(
    new Walker(message),
    ({ number }) => (edits.some((edit) => edit.number === number) ? "drop" : "keep"),
    (out) => {
      for (const { number, digest } of edits) out.bytes(number, encodeDigest(digest));
    },
  );
  return joined(slices, message);
}

/** Whether two digests are of the same blob; null is none. */
export function sameDigest(a: Digest | null, b: Digest | null): boolean {
  return a === null || b === null ? a === b : a.hash === b.hash && a.sizeBytes === b.sizeBytes;
}
