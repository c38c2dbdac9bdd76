/** Single fields of messages, read and replaced. Of a field that comes twice the last one counts. */
import { type Digest, encodeDigest, readDigest } from "./digest.ts";
import { joined, rewriteMessage } from "./rewrite.ts";
import { Walker, WireType } from "./walker.ts";

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

/** The values of a bytes, string or message field, in order. @throws WireError for broken bytes. */
export function payloadsOf(message: Buffer, number: number): Buffer[] {
  const payloads: Buffer[] = [];
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.LEN) payloads.push(field.bytes());
  return payloads;
}

/** The values of a string field, in order. @throws WireError for broken bytes, and for text that is none. */
export function textsOf(message: Buffer, number: number): string[] {
  const texts: string[] = [];
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.LEN) texts.push(field.text());
  return texts;
}

/** A message field as every reader merges it, if it comes several times; null where it is absent. @throws WireError for broken bytes. */
export function messageIn(message: Buffer, number: number): Buffer | null {
  const parts = payloadsOf(message, number);
  if (parts.length === 0) return null;
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** A string field; empty where it is absent. @throws WireError for broken bytes, and for text that is none. */
export function textIn(message: Buffer, number: number): string {
  return textsOf(message, number).at(-1) ?? "";
}

/** Whether a number or a flag is set to anything but 0. @throws WireError for broken bytes. */
export function isSet(message: Buffer, number: number): boolean {
  let set = false;
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.VARINT) set = field.uint64() !== 0n;
  return set;
}

/** The message with other values for some fields, each in the order given: none takes a field away. @throws WireError for broken bytes. */
export function withPayloads(
  message: Buffer,
  values: ReadonlyMap<number, readonly Buffer[]>,
): readonly Buffer[] | null {
  return rewriteMessage(
    new Walker(message),
    ({ number }) => (values.has(number) ? "drop" : "keep"),
    (out) => {
      for (const [number, payloads] of values) for (const payload of payloads) out.bytes(number, payload);
    },
  );
}
