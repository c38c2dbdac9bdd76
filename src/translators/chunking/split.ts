/** Cuts stored blobs into chunks, which are stored too (D22). */
import type { Blob, Upstream } from "../../upstream/port.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { chunkSizes, cut } from "../../wire/fast-cdc.ts";
import { canHash, digestOf } from "../../wire/hasher.ts";
import type { MemoryAllowance } from "../../wire/message-buffer.ts";
import { Status } from "../../wire/status.ts";
import { Holding } from "../holding.ts";
import type { ListMemory } from "./list-memory.ts";

/** The average length of a chunk, in bytes: what the API recommends. */
export const AVERAGE_CHUNK_BYTES = 512 * 1024;
const SIZES = chunkSizes(AVERAGE_CHUNK_BYTES);

/** Bytes of chunks that are stored at a time, and what the cutter holds besides. */
const BATCH_BYTES = 4 << 20;
const CUTTER_BYTES = 3 * SIZES.max;
/** What a digest takes in memory, and in a message. */
const BYTES_PER_DIGEST = 200;
const DIGEST_MESSAGE_BYTES = 75;

/** What it takes to split for one call. */
export interface SplitParts {
  readonly port: Upstream;
  readonly budget: MemoryAllowance;
  readonly memory: ListMemory;
  /** Tells the blobs of this upstream and instance from those of others. */
  readonly scope: string;
  /** Bytes of the message, or the messages, that the list has to fit into, and the error of one that does not. */
  readonly mostListBytes: number;
  tooLong(): Error;
}

/**
 * The chunks of a stored blob, by FastCDC 2020, all of them stored. A blob that is too short to be cut is its own chunk, and so is one whose chunks cannot be
 * named or stored: of a function that cannot be computed here, or for a caller who may only read.
 * @throws UpstreamError, NOT_FOUND for a blob that is not stored; what `tooLong` makes.
 */
export async function split(blob: Digest, parts: SplitParts): Promise<readonly Digest[]> {
  const { port, memory, scope, mostListBytes, tooLong } = parts;
  const digestFunction = port.functionOf(blob);
  if (blob.sizeBytes < SIZES.max || !canHash(digestFunction)) return alone(blob, port);
  if ((blob.sizeBytes / AVERAGE_CHUNK_BYTES) * DIGEST_MESSAGE_BYTES > mostListBytes) throw tooLong();
  const key = `${scope}\0${digestFunction.number}\0${formatDigest(blob)}`;
  const known = memory.get(key);
  if (known !== null && (await port.findMissing([blob, ...known])).length === 0) return known;
  memory.delete(key);
  try {
    const chunks = await cutAndStore(blob, digestFunction, parts);
    memory.set(key, chunks);
    return chunks;
  } catch (error) {
    if (error instanceof UpstreamError && error.code === Status.PERMISSION_DENIED) return alone(blob, port);
    throw error;
  }
}

/** A blob in one chunk. */
async function alone(blob: Digest, port: Upstream): Promise<readonly Digest[]> {
  if (blob.sizeBytes > 0 && (await port.findMissing([blob])).length > 0)
    throw new UpstreamError(Status.NOT_FOUND, `the blob ${formatDigest(blob)} is not stored`);
  return [blob];
}

/** Reads the blob once, and holds a batch of chunks at a time. */
async function cutAndStore(
  blob: Digest,
  digestFunction: DigestFunction,
  { port, budget, mostListBytes, tooLong }: SplitParts,
): Promise<Digest[]> {
  const chunks: Digest[] = [];
  let batch: Blob[] = [];
  let held = 0;
  const holding = new Holding(budget);
  const flush = async (): Promise<void> => {
    const missing = new Set((await port.findMissing(batch.map(({ digest }) => digest))).map(formatDigest));
    await port.writeBlobs(batch.filter(({ digest }) => missing.has(formatDigest(digest))));
    holding.give(held);
    batch = [];
    held = 0;
  };
  try {
    holding.take(CUTTER_BYTES);
    for await (const chunk of cut(port.streamBlob(blob), SIZES)) {
      if ((chunks.length + 1) * DIGEST_MESSAGE_BYTES > mostListBytes) throw tooLong();
      holding.take(chunk.length + BYTES_PER_DIGEST);
      held += chunk.length;
      const { hash, sizeBytes } = digestOf(chunk, digestFunction);
      chunks.push({ hash, sizeBytes });
      // A chunk is a view of all that the cutter held.
      batch.push({ digest: { hash, sizeBytes }, bytes: Buffer.from(chunk) });
      if (held >= BATCH_BYTES) await flush();
    }
    await flush();
    return chunks;
  } finally {
    holding.close();
  }
}
