/** One blob, by ByteStream: every upstream has it, and for blobs of every size. */
import { type Digest, formatDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { MessageBuffer } from "../wire/message-buffer.ts";
import { Status } from "../wire/status.ts";
import { Walker } from "../wire/walker.ts";
import { BlobCheck } from "./blob-check.ts";
import { exchange, readAnswer } from "./exchange.ts";
import { READ } from "./methods.ts";
import type { Session } from "./session.ts";
import { UpstreamError } from "./upstream-error.ts";

/** As `Upstream.streamBlob`; ends early, with CANCELLED, when `stop` is aborted. The empty blob is not asked for: old upstreams may lack it (D13). */
export async function* streamBlob(
  session: Session,
  digest: Digest,
  stop: AbortSignal | null = null,
): AsyncGenerator<Buffer, void, void> {
  const digestFunction = session.functionOf(digest);
  const check = new BlobCheck(digest, digestFunction);
  if (digest.sizeBytes > 0) {
    const name = session.blobName(digest, digestFunction, null);
    const request = new FieldWriter();
    request.text(1, name);
    for await (const response of exchange(() => session.caller.open(READ, name), [request.finish()], stop)) {
      const data = readAnswer(() => dataOf(response));
      check.add(data);
      if (data.length > 0) yield data;
    }
  }
  check.finish();
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

/** The data of a `ReadResponse`. */
function dataOf(response: Buffer): Buffer {
  const field = new Walker(response);
  let data = response.subarray(0, 0);
  while (field.next()) if (field.number === 10) data = field.bytes() as typeof data;
  return data;
}
