/** Makes blobs of stored chunks (D22). */
import { inBatches } from "../../upstream/batches.ts";
import type { Upstream } from "../../upstream/port.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { canHash, createHasher } from "../../wire/hasher.ts";
import type { MemoryAllowance } from "../../wire/message-buffer.ts";
import { Status } from "../../wire/status.ts";
import { Holding } from "../holding.ts";
import { totalBytes, wrongTotal } from "./chunk-list.ts";

/** Bytes of chunks that are read at a time. */
const WINDOW_BYTES = 4 << 20;
/** What a digest takes in memory, in the lists it is in. */
const BYTES_PER_DIGEST = 400;

/** A blob to be made: its digest, null where the client leaves that to the server, and its chunks in order. */
export interface Splicing {
  readonly blob: Digest | null;
  readonly chunks: readonly Digest[];
}

/** Where chunks are read and blobs stored, and what is charged for what is held. */
export interface SpliceParts {
  readonly port: Upstream;
  readonly budget: MemoryAllowance;
}

/**
 * Stores the concatenation of chunks and gives its digest. It is not complete, and so not to be seen by anybody, before its hash is known to be that of the
 * blob; of a function that cannot be computed here the upstream checks it, as of any upload. Nothing is read where the blob is there.
 * @throws UpstreamError: INVALID_ARGUMENT for chunks that do not make the blob, NOT_FOUND for the first one that is not stored.
 */
export async function splice({ blob, chunks }: Splicing, { port, budget }: SpliceParts): Promise<Digest> {
  const digestFunction = functionOfAll(blob === null ? chunks : [blob, ...chunks], port);
  const total = totalBytes(chunks);
  if (blob !== null && total !== blob.sizeBytes) throw wrongTotal(total, blob.sizeBytes);
  const holding = new Holding(budget);
  try {
    holding.take(chunks.length * BYTES_PER_DIGEST);
    const missing = await missingOf(blob === null ? chunks : [blob, ...chunks], port);
    if (blob !== null && blob.sizeBytes > 0 && !missing.has(formatDigest(blob))) return blob;
    const lost = chunks.find((chunk) => missing.has(formatDigest(chunk)));
    if (lost !== undefined) throw missingChunk(lost);
    const parts = { port, budget };
    const whole = blob ?? (await digestOfChunks(chunks, parts));
    await port.writeBlob(whole, verified(contents(chunks, parts), whole, digestFunction));
    return whole;
  } finally {
    holding.close();
  }
}

/**
 * The digest of the concatenation of stored chunks, which are read for it.
 * @throws UpstreamError INVALID_ARGUMENT for a function that cannot be computed here, and what reading throws.
 */
export async function digestOfChunks(chunks: readonly Digest[], parts: SpliceParts): Promise<Digest> {
  const digestFunction = functionOfAll(chunks, parts.port);
  if (!canHash(digestFunction))
    throw invalid(`blob_digest is missing, and the bridge cannot compute ${digestFunction.name} hashes`);
  const sizeBytes = totalBytes(chunks);
  const hasher = createHasher(digestFunction, sizeBytes);
  for await (const part of contents(chunks, parts)) hasher.update(part);
  return { hash: hasher.finish(), sizeBytes };
}

/** The one function of all digests. @throws UpstreamError INVALID_ARGUMENT where there are two, or no digests. */
function functionOfAll(digests: readonly Digest[], port: Upstream): DigestFunction {
  const [first] = digests;
  if (first === undefined) throw invalid("blob_digest is missing, and so are the chunks");
  const digestFunction = port.functionOf(first);
  const other = digests.find((digest) => port.functionOf(digest) !== digestFunction);
  if (other !== undefined)
    throw invalid(`${formatDigest(other)} is of another digest function than the others`);
  return digestFunction;
}

/** Those of the blobs that are not stored, by `hash/size`. */
async function missingOf(blobs: readonly Digest[], port: Upstream): Promise<ReadonlySet<string>> {
  // The empty blob need not be stored (D13); whether a digest is the right one of it is seen when it is read.
  const missing = await port.findMissing(blobs.filter(({ sizeBytes }) => sizeBytes > 0));
  return new Set(missing.map(formatDigest));
}

/** The content of chunks, in order. Small ones are read several at a time. */
async function* contents(
  chunks: readonly Digest[],
  { port, budget }: SpliceParts,
): AsyncGenerator<Buffer, void, void> {
  for (const window of inBatches(chunks, WINDOW_BYTES, ({ sizeBytes }) => sizeBytes)) {
    if (window.length === 1) {
      yield* named(window[0]!, port.streamBlob(window[0]!));
      continue;
    }
    const holding = new Holding(budget);
    try {
      holding.take(totalBytes(window));
      const found = new Map<string, Buffer>();
      for await (const read of port.readBlobs(window, WINDOW_BYTES)) {
        if ("error" in read) throw chunkError(read.digest, read.error);
        found.set(formatDigest(read.digest), read.bytes);
      }
      for (const chunk of window) yield found.get(formatDigest(chunk))!;
    } finally {
      holding.close();
    }
  }
}

/** The parts of one chunk, whose name is in the error if it is not there. */
async function* named(chunk: Digest, parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    yield* parts;
  } catch (error) {
    throw chunkError(chunk, error);
  }
}

/** Parts of a blob, of which the last one comes only if together they are that blob: then nothing else is ever complete. */
async function* verified(
  parts: AsyncIterable<Buffer>,
  blob: Digest,
  digestFunction: DigestFunction,
): AsyncGenerator<Buffer, void, void> {
  const hasher = canHash(digestFunction) ? createHasher(digestFunction, blob.sizeBytes) : null;
  const check = (): void => {
    if (hasher !== null && hasher.finish() !== blob.hash)
      throw invalid(`the chunks do not make ${formatDigest(blob)}: their hash is another one`);
  };
  let left = blob.sizeBytes;
  for await (const part of parts) {
    if (part.length === 0) continue;
    hasher?.update(part);
    left -= part.length;
    if (left === 0) check();
    yield part;
  }
  if (blob.sizeBytes === 0) check();
}

function chunkError(chunk: Digest, error: unknown): unknown {
  return error instanceof UpstreamError && error.code === Status.NOT_FOUND ? missingChunk(chunk) : error;
}

/** The error of a chunk that is not stored. */
export function missingChunk(chunk: Digest): UpstreamError {
  return new UpstreamError(Status.NOT_FOUND, `the chunk ${formatDigest(chunk)} is not stored`);
}

function invalid(message: string): UpstreamError {
  return new UpstreamError(Status.INVALID_ARGUMENT, message);
}
