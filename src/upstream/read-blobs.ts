/** Many blobs: small ones in batches, the others, and all where there are no batches, few at a time by ByteStream. */
import { type Digest, encodeDigest, formatDigest, readDigest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { Status } from "../wire/status.ts";
import { type RpcStatus, readStatus } from "../wire/status-details.ts";
import { Walker } from "../wire/walker.ts";
import { batchLimit, ENTRY_BYTES, inBatches } from "./batches.ts";
import { checkBlob } from "./blob-check.ts";
import { readAnswer, unusable } from "./exchange.ts";
import { inParallel } from "./in-parallel.ts";
import { BATCH_READ } from "./methods.ts";
import type { BlobRead } from "./port.ts";
import { readBlob } from "./read-blob.ts";
import type { Session } from "./session.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Calls of ByteStream at a time. */
export const STREAMS_AT_A_TIME = 8;

/** As `Upstream.readBlobs`. */
export async function* readBlobs(
  session: Session,
  digests: readonly Digest[],
  maxBytes: number,
): AsyncGenerator<BlobRead, void, void> {
  const limit = session.dialect.batchRead ? batchLimit(session.dialect) : 0;
  const entryBytes = ({ digest }: { digest: Digest }): number => digest.sizeBytes + ENTRY_BYTES;
  for (const [digestFunction, items] of session.byFunction(digests.map((digest) => ({ digest })))) {
    const { batched = [], single = [] } = Object.groupBy(items, (item) => {
      const { sizeBytes } = item.digest;
      return sizeBytes > 0 && sizeBytes <= maxBytes && entryBytes(item) <= limit ? "batched" : "single";
    });
    for (const batch of inBatches(batched, limit, entryBytes)) {
      yield* readBatch(
        session,
        batch.map(({ digest }) => digest),
        digestFunction,
      );
    }
    yield* readEach(
      session,
      single.map(({ digest }) => digest),
      maxBytes,
    );
  }
}

async function* readEach(
  session: Session,
  digests: readonly Digest[],
  maxBytes: number,
): AsyncGenerator<BlobRead, void, void> {
  const read = (digest: Digest, stop: AbortSignal): Promise<BlobRead> =>
    readOne(session, digest, maxBytes, stop);
  for await (const blob of inParallel(digests, STREAMS_AT_A_TIME, read)) {
    try {
      yield blob;
    } finally {
      if ("bytes" in blob) session.release(blob.bytes.length);
    }
  }
}

async function readOne(
  session: Session,
  digest: Digest,
  maxBytes: number,
  stop: AbortSignal,
): Promise<BlobRead> {
  try {
    return { digest, bytes: await readBlob(session, digest, maxBytes, stop) };
  } catch (error) {
    return { digest, error: failureOf(error) };
  }
}

async function* readBatch(
  session: Session,
  digests: readonly Digest[],
  digestFunction: DigestFunction,
): AsyncGenerator<BlobRead, void, void> {
  const request = session.request(4, digestFunction, (out) => {
    for (const digest of digests) out.bytes(2, encodeDigest(digest));
  });
  const left = new Map(digests.map((digest) => [formatDigest(digest), digest]));
  let failure: UpstreamError | null = null;
  try {
    for await (const response of session.call(BATCH_READ, request)) {
      for (const answer of readAnswer(BATCH_READ, () => readAnswers(response))) {
        const key = formatDigest(answer.digest);
        if (left.delete(key)) yield checked(answer, digestFunction);
      }
    }
  } catch (error) {
    failure = failureOf(error);
  }
  if (left.size === 0) return;
  const error = failure ?? unusable(BATCH_READ, "it leaves out blobs that were asked for");
  for (const digest of left.values()) yield { digest, error };
}

/** One entry of a `BatchReadBlobsResponse`. */
interface Answer {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly status: RpcStatus | null;
  readonly compressor: number;
}

function checked({ digest, bytes, status, compressor }: Answer, digestFunction: DigestFunction): BlobRead {
  try {
    if (status !== null && status.code !== Status.OK) throw UpstreamError.of(status);
    if (compressor !== 0) throw unusable(BATCH_READ, "a blob is compressed, and nobody asked for that");
    checkBlob(digest, digestFunction, bytes);
    return { digest, bytes };
  } catch (error) {
    return { digest, error: failureOf(error) };
  }
}

function readAnswers(response: Buffer): Answer[] {
  const answers: Answer[] = [];
  const field = new Walker(response);
  while (field.next()) if (field.number === 1) answers.push(readEntry(field.enter()));
  return answers;
}

function readEntry(field: Walker): Answer {
  const entry = { digest: NO_DIGEST, bytes: NO_BYTES, status: null as RpcStatus | null, compressor: 0 };
  while (field.next()) {
    if (field.number === 1) entry.digest = readDigest(field.enter());
    else if (field.number === 2) entry.bytes = field.bytes();
    else if (field.number === 3) entry.status = readStatus(field.enter());
    else if (field.number === 4) entry.compressor = field.int32();
  }
  return entry;
}

const NO_DIGEST: Digest = { hash: "", sizeBytes: 0 };
const NO_BYTES: Buffer = Buffer.alloc(0);

/** What went wrong with a blob; anything but an UpstreamError is a defect and thrown on. */
function failureOf(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  throw error;
}
