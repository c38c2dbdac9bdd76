/** One blob, by ByteStream: every upstream has it, and for blobs of every size. */
import { readReadResponse, writeReadRequest } from "../wire/byte-stream.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { canHash, digestOf } from "../wire/hasher.ts";
import { MessageBuffer } from "../wire/message-buffer.ts";
import { Status } from "../wire/status.ts";
import { BlobCheck } from "./blob-check.ts";
import { exchange, readAnswer } from "./exchange.ts";
import { READ } from "./methods.ts";
import type { Session } from "./session.ts";
import { UpstreamError } from "./upstream-error.ts";

/** As `Upstream.streamBlob`; ends early, with CANCELLED, when `stop` is aborted. */
export async function* streamBlob(
  session: Session,
  digest: Digest,
  stop: AbortSignal | null = null,
): AsyncGenerator<Buffer, void, void> {
  const digestFunction = session.functionOf(digest);
  if (digest.sizeBytes === 0 && canHash(digestFunction)) return checkEmpty(digest, digestFunction);
  const check = new BlobCheck(digest, digestFunction);
  const name = session.blobName(digest, digestFunction, null);
  const request = writeReadRequest({ resourceName: name, readOffset: 0, readLimit: 0 });
  for await (const response of exchange(() => session.caller.open(READ, name), [request], stop)) {
    const data = readAnswer(READ, () => readReadResponse(response));
    check.add(data);
    if (data.length > 0) yield data;
  }
  check.finish();
}

/** The empty blob is not asked for, because old upstreams may lack it (D13); another hash of no bytes is that of no blob. */
function checkEmpty(digest: Digest, digestFunction: DigestFunction): void {
  if (digest.hash === digestOf(Buffer.alloc(0), digestFunction).hash) return;
  throw new UpstreamError(Status.NOT_FOUND, `${formatDigest(digest)} is not the digest of the empty blob`);
}

/** As `Upstream.readBlob`; whoever calls it may release the blob's bytes. Ends early, with CANCELLED, when `stop` is aborted. */
export async function readBlob(
  session: Session,
  digest: Digest,
  maxBytes: number,
  stop: AbortSignal | null = null,
): Promise<Buffer> {
  if (digest.sizeBytes > maxBytes) {
    const message = `${formatDigest(digest)} is longer than the ${maxBytes} bytes the bridge takes for its purpose`;
    throw new UpstreamError(Status.RESOURCE_EXHAUSTED, message);
  }
  const blob = new MessageBuffer(digest.sizeBytes, {
    get free() {
      return session.caller.budget.free;
    },
    charge: (bytes) => session.keep(bytes),
  });
  try {
    for await (const part of streamBlob(session, digest, stop)) blob.append(part, 0, part.length);
  } catch (error) {
    session.release(blob.allocated);
    throw error;
  }
  return blob.view();
}
