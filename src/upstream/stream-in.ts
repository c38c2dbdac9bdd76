/** Storing one blob by ByteStream. */
import { randomUUID } from "node:crypto";
import { readCommittedSize, writeWriteRequest } from "../wire/byte-stream.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import { Status } from "../wire/status.ts";
import { exchange, type Message, onlyResponse, readAnswer, unusable } from "./exchange.ts";
import { WRITE } from "./methods.ts";
import type { Session } from "./session.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Bytes of a blob in one message, at most. */
const PART_BYTES = 256 * 1024;

/** Content in parts of any length. */
export type Parts = Iterable<Buffer> | AsyncIterable<Buffer>;

/** Stores a blob of any length; ends early, with CANCELLED, when `stop` is aborted. Throws as `Upstream.writeBlob`. */
export async function streamIn(
  session: Session,
  digest: Digest,
  parts: Parts,
  stop: AbortSignal | null = null,
): Promise<void> {
  const name = session.blobName(digest, session.functionOf(digest), randomUUID());
  const partBytes = Math.min(PART_BYTES, Math.floor(session.dialect.maxMessageBytes / 2));
  const requests = writeRequests(name, digest, parts, partBytes);
  let response: Buffer;
  try {
    response = await onlyResponse(
      WRITE,
      exchange(() => session.caller.open(WRITE, name), requests, stop),
    );
  } catch (error) {
    // What other servers tell with an early success (D16).
    if (error instanceof UpstreamError && error.code === Status.ALREADY_EXISTS) return;
    throw error;
  }
  const committed = readAnswer(WRITE, () => readCommittedSize(response));
  if (committed === digest.sizeBytes) return;
  throw unusable(WRITE, `it says that ${committed} bytes of ${formatDigest(digest)} are stored`);
}

/** The `WriteRequest`s for a blob, with all its bytes and no others. @throws UpstreamError INVALID_ARGUMENT if they are too many or few. */
async function* writeRequests(
  name: string,
  digest: Digest,
  parts: Parts,
  partBytes: number,
): AsyncGenerator<Message, void, void> {
  let offset = 0;
  const request = (data: Buffer): Message => {
    const writeOffset = offset;
    offset += data.length;
    const finishWrite = offset === digest.sizeBytes;
    return writeWriteRequest({ resourceName: writeOffset === 0 ? name : "", writeOffset, finishWrite, data });
  };
  for await (const part of parts) {
    if (offset + part.length > digest.sizeBytes) throw wrongLength(digest, "more");
    for (let at = 0; at < part.length; at += partBytes) yield request(part.subarray(at, at + partBytes));
  }
  if (offset < digest.sizeBytes) throw wrongLength(digest, "fewer");
  if (digest.sizeBytes === 0) yield request(Buffer.alloc(0));
}

/** The error of content that is not as long as it should be. */
export function wrongLength(digest: Digest, how: string): UpstreamError {
  const message = `the content for ${formatDigest(digest)} has ${how} bytes than the digest says`;
  return new UpstreamError(Status.INVALID_ARGUMENT, message);
}
