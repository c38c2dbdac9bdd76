/** Lists of chunks, in the messages that have one (D22, P02). */
import type { Upstream } from "../../upstream/port.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, encodeDigest, readDigest } from "../../wire/digest.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { payloadsOf } from "../../wire/fields.ts";
import { Status } from "../../wire/status.ts";
import { Walker } from "../../wire/walker.ts";

/** Field numbers. Those of the streamed messages (P01) are the same, except that they have a flag for the end in place of the indirect list. */
export const SplitRequestField = { blob: 2, digestFunction: 3 } as const;
export const SplitResponseField = { chunks: 1, chunkingFunction: 2, indirect: 6 } as const;
export const SpliceRequestField = { blob: 2, chunks: 3, digestFunction: 4, indirect: 6 } as const;
export const SpliceResponseField = { blob: 1 } as const;
/** ChunkList.chunk_digests. */
const LISTED = 1;

/** The most bytes of a list: what fits into a message of 4 MiB, which all peers take, next to everything else. */
export const MOST_LIST_BYTES = 3 << 20;

/** The list in a field of a message, in order. @throws WireError for broken bytes. */
export function chunksIn(message: Buffer, field: number): Digest[] {
  return payloadsOf(message, field).map((payload) => readDigest(new Walker(payload)));
}

/** The bytes of a `ChunkList`. */
export function encodeList(chunks: readonly Digest[]): Buffer {
  const out = new FieldWriter();
  for (const chunk of chunks) out.bytes(LISTED, encodeDigest(chunk));
  return out.toBuffer();
}

/** The list in a `ChunkList`. @throws WireError for broken bytes. */
export function decodeList(list: Buffer): Digest[] {
  return chunksIn(list, LISTED);
}

/** Bytes of the blob that chunks make. */
export function totalBytes(chunks: readonly Digest[]): number {
  return chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** A list of which a part, or all, is in a blob. */
export interface IndirectList {
  /** What is in the message. */
  readonly direct: readonly Digest[];
  /** The `ChunkList`. */
  readonly indirect: Digest;
  /** Bytes of the blob that the chunks make; null where nobody says. */
  readonly blobBytes: number | null;
}

/**
 * The whole list. The blob goes on where the message ends, or repeats what is there: which of the two, the size of the blob tells.
 * @param tooLong Makes the error of a list that does not fit into a message.
 * @throws what `tooLong` makes; UpstreamError NOT_FOUND for a `ChunkList` that is not stored, INVALID_ARGUMENT for chunks of another size than the blob's.
 */
export async function wholeList(
  { direct, indirect, blobBytes }: IndirectList,
  port: Upstream,
  tooLong: () => Error,
): Promise<readonly Digest[]> {
  if (indirect.sizeBytes > MOST_LIST_BYTES) throw tooLong();
  const listed = decodeList(await port.readBlob(indirect, MOST_LIST_BYTES));
  const all = [...direct, ...listed];
  const whole = [all, listed].find((list) => blobBytes === null || totalBytes(list) === blobBytes);
  if (whole === undefined) throw wrongTotal(totalBytes(all), blobBytes!);
  if (encodeList(whole).length > MOST_LIST_BYTES) throw tooLong();
  return whole;
}

/** The error of chunks that do not make the blob. */
export function wrongTotal(total: number, blobBytes: number): UpstreamError {
  const message = `the chunks have ${total} bytes together, the blob has ${blobBytes}`;
  return new UpstreamError(Status.INVALID_ARGUMENT, message);
}
