/** Compressed reads of an upstream that has the blob plain only (D15). */
import { compressorBySegment } from "../../compression/compressors.ts";
import { encode } from "../../compression/encode.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { readReadRequest, readReadResponse, writeReadResponse } from "../../wire/byte-stream.ts";
import { formatDigest } from "../../wire/digest.ts";
import { formatResourceName, type ResourceName } from "../../wire/resource-name.ts";
import { Status } from "../../wire/status.ts";
import { compressedName, renamed } from "../blob-names.ts";
import type { Call, Forward, Pair } from "../translator.ts";
import { holdCodec } from "./codec-memory.ts";
import { isNative } from "./feature.ts";
import { limitedRead, unknownCompressor } from "./refusals.ts";

/** Serves a read: of a compressor that the upstream lacks from the plain blob, of anything else as it is. */
export async function* readCompressed(
  requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  for await (const request of requests) {
    const { resourceName } = readReadRequest(request);
    const name = compressedName(resourceName);
    if (name !== null && !isNative(name.compressor, pair))
      yield* readEncoded(request, name, call, pair, forward);
    else for await (const response of forward([request])) yield [response];
  }
}

/**
 * Reads a blob plain, from the offset of the request on, and yields `ReadResponse`s with it compressed as the name says.
 * @throws BridgeError for a compressor that does not exist, and a limit; UpstreamError DATA_LOSS for more or fewer bytes than the name says.
 */
export async function* readEncoded(
  request: Buffer,
  name: ResourceName & { readonly compressor: string },
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  const compressor = compressorBySegment(name.compressor);
  if (compressor === null) throw unknownCompressor(name.compressor, pair);
  const { readOffset, readLimit } = readReadRequest(request);
  if (readLimit !== 0) throw limitedRead(name.compressor);
  const release = holdCodec(call);
  try {
    const plain = forward([renamed(request, formatResourceName({ ...name, compressor: null }))]);
    for await (const data of encode(compressor, content(plain, name, readOffset)))
      yield writeReadResponse(data);
  } finally {
    release();
  }
}

/** The bytes of a blob, of which there must be as many as its digest says: compressed, fewer would look like a whole blob. */
async function* content(
  responses: AsyncIterable<Buffer>,
  { digest }: ResourceName,
  offset: number,
): AsyncGenerator<Buffer> {
  let end = offset;
  for await (const response of responses) {
    const data = readReadResponse(response);
    end += data.length;
    if (end > digest.sizeBytes) break;
    if (data.length > 0) yield data;
  }
  if (end === digest.sizeBytes) return;
  const way = end > digest.sizeBytes ? "more" : "fewer";
  const message = `the upstream sent ${way} bytes of ${formatDigest(digest)} than there are`;
  throw new UpstreamError(Status.DATA_LOSS, message);
}
