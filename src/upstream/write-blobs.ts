/** Storing blobs: small ones in batches, the others, and all where there are no batches, few at a time by ByteStream. */
import { type Digest, encodeDigest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { Status } from "../wire/status.ts";
import { type RpcStatus, readStatus } from "../wire/status-details.ts";
import { Walker } from "../wire/walker.ts";
import { batchLimit, ENTRY_BYTES, inBatches } from "./batches.ts";
import { readAnswer, unusable } from "./exchange.ts";
import { inParallel } from "./in-parallel.ts";
import { BATCH_UPDATE } from "./methods.ts";
import type { Blob } from "./port.ts";
import { STREAMS_AT_A_TIME } from "./read-blobs.ts";
import type { Session } from "./session.ts";
import { type Parts, streamIn, wrongLength } from "./stream-in.ts";
import { UpstreamError } from "./upstream-error.ts";

/** As `Upstream.writeBlobs`. */
export async function writeBlobs(session: Session, blobs: readonly Blob[]): Promise<void> {
  const limit = session.dialect.batchUpdate ? batchLimit(session.dialect) : 0;
  const entryBytes = ({ bytes }: Blob): number => bytes.length + ENTRY_BYTES;
  for (const [digestFunction, items] of session.byFunction(blobs)) {
    const { batched = [], single = [] } = Object.groupBy(items, (blob) =>
      entryBytes(blob) <= limit ? "batched" : "single",
    );
    for (const batch of inBatches(batched, limit, entryBytes)) {
      await writeBatch(session, batch, digestFunction);
    }
    const write = ({ digest, bytes }: Blob, stop: AbortSignal): Promise<void> =>
      streamIn(session, digest, [bytes], stop);
    for await (const _ of inParallel(single, STREAMS_AT_A_TIME, write));
  }
}

/** As `Upstream.writeBlob`. The empty blob goes in a batch where it can: some upstreams refuse to have it streamed (D13). */
export async function writeBlob(session: Session, digest: Digest, parts: Parts): Promise<void> {
  if (digest.sizeBytes > 0 || !session.dialect.batchUpdate) return streamIn(session, digest, parts);
  for await (const part of parts) if (part.length > 0) throw wrongLength(digest, "more");
  await writeBlobs(session, [{ digest, bytes: Buffer.alloc(0) }]);
}

async function writeBatch(
  session: Session,
  blobs: readonly Blob[],
  digestFunction: DigestFunction,
): Promise<void> {
  const request = session.request(5, digestFunction, (out) => {
    for (const { digest, bytes } of blobs) {
      const entry = new FieldWriter();
      entry.bytes(1, encodeDigest(digest));
      if (bytes.length > 0) entry.bytes(2, bytes);
      out.message(2, entry.finish());
    }
  });
  const response = await session.answer(BATCH_UPDATE, request);
  const statuses = readAnswer(BATCH_UPDATE, () => readStatuses(response));
  if (statuses.length !== blobs.length) {
    throw unusable(BATCH_UPDATE, `it has ${statuses.length} results for ${blobs.length} blobs`);
  }
  for (const status of statuses) {
    if (status.code !== Status.OK && status.code !== Status.ALREADY_EXISTS) throw UpstreamError.of(status);
  }
}

/** The status of each entry of a `BatchUpdateBlobsResponse`. */
function readStatuses(response: Buffer): RpcStatus[] {
  const statuses: RpcStatus[] = [];
  const field = new Walker(response);
  while (field.next()) if (field.number === 1) statuses.push(readEntry(field.enter()));
  return statuses;
}

function readEntry(field: Walker): RpcStatus {
  let status: RpcStatus = { code: Status.OK, message: "", details: [] };
  while (field.next()) if (field.number === 2) status = readStatus(field.enter());
  return status;
}
