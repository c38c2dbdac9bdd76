/** What SplitBlob and SpliceBlob ask for, whole or in a stream of messages (D22, P01, P02). */
import type { Upstream } from "../../upstream/port.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import type { Digest } from "../../wire/digest.ts";
import { digestIn, numberIn } from "../../wire/fields.ts";
import { Status } from "../../wire/status.ts";
import type { Holding } from "../holding.ts";
import type { Call } from "../translator.ts";
import { chunksIn, SpliceRequestField, SplitRequestField, wholeList } from "./chunk-list.ts";
import type { Splicing } from "./splice.ts";

/** The most bytes of the messages of one streamed list. */
export const MOST_STREAMED_BYTES = 8 << 20;
/** What a digest takes in memory. */
const BYTES_PER_DIGEST = 200;

/** What is asked for, and where its blobs are. */
interface Asked<What> {
  readonly what: What;
  readonly port: Upstream;
}

/** The blob that a `SplitBlobRequest` is about. @throws UpstreamError INVALID_ARGUMENT without one; WireError for broken bytes. */
export function splitRequest(message: Buffer, call: Call): Asked<Digest> {
  const blob = digestIn(message, SplitRequestField.blob);
  if (blob === null) throw new UpstreamError(Status.INVALID_ARGUMENT, "blob_digest is missing");
  const port = call.portFor(numberIn(message, SplitRequestField.digestFunction));
  return { what: lowered(blob), port };
}

/**
 * What a `SpliceBlobRequest` asks for, its indirect list read (P02).
 * @throws what `wholeList` throws; WireError for broken bytes.
 */
export async function spliceRequest(
  message: Buffer,
  call: Call,
  tooLong: () => Error,
): Promise<Asked<Splicing>> {
  const port = call.portFor(numberIn(message, SpliceRequestField.digestFunction));
  const blob = blobOf(message);
  const direct = chunksIn(message, SpliceRequestField.chunks).map(lowered);
  const indirect = indirectIn(message);
  if (indirect === null) return { what: { blob, chunks: direct }, port };
  const list = { direct, indirect, blobBytes: blob?.sizeBytes ?? null };
  return { what: { blob, chunks: (await wholeList(list, port, tooLong)).map(lowered) }, port };
}

/**
 * What `SpliceChunksRequest`s ask for: the first says which blob, all of them together which chunks, which `holding` counts.
 * @throws what `tooLong` makes of a list beyond the bound; WireError for broken bytes.
 */
export async function streamedSplice(
  first: Buffer,
  rest: AsyncIterable<Buffer>,
  call: Call,
  holding: Holding,
  tooLong: () => Error,
): Promise<Asked<Splicing>> {
  const port = call.portFor(numberIn(first, SpliceRequestField.digestFunction));
  const chunks: Digest[] = [];
  let bytes = 0;
  const add = (message: Buffer): void => {
    bytes += message.length;
    if (bytes > MOST_STREAMED_BYTES) throw tooLong();
    const more = chunksIn(message, SpliceRequestField.chunks);
    holding.take(more.length * BYTES_PER_DIGEST);
    for (const chunk of more) chunks.push(lowered(chunk));
  };
  add(first);
  for await (const message of rest) add(message);
  return { what: { blob: blobOf(first), chunks }, port };
}

/** The digest of the list that a `SpliceBlobRequest` has in a blob; null where it has none. */
export function indirectIn(message: Buffer): Digest | null {
  return named(digestIn(message, SpliceRequestField.indirect));
}

function blobOf(message: Buffer): Digest | null {
  const blob = named(digestIn(message, SpliceRequestField.blob));
  return blob === null ? null : lowered(blob);
}

/** An empty one names nothing. */
function named(digest: Digest | null): Digest | null {
  return digest === null || digest.hash === "" ? null : digest;
}

/** In a request the case of a hash does not matter (D12). */
function lowered({ hash, sizeBytes }: Digest): Digest {
  return { hash: hash.toLowerCase(), sizeBytes };
}
