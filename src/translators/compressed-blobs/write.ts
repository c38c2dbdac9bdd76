/** Compressed uploads to an upstream that takes the blob plain only (D15, D16). */
import { compressorBySegment } from "../../compression/compressors.ts";
import { onlyResponse, unusable } from "../../upstream/exchange.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { readCommittedSize, resourceNameIn, writeWriteResponse } from "../../wire/byte-stream.ts";
import { formatDigest } from "../../wire/digest.ts";
import { canHash, createHasher, type Hasher } from "../../wire/hasher.ts";
import { formatResourceName, type ResourceName } from "../../wire/resource-name.ts";
import { Status } from "../../wire/status.ts";
import { compressedName, renamed } from "../blob-names.ts";
import { reportFor } from "../committed-size/report.ts";
import { Upload } from "../committed-size/upload.ts";
import { WRITE } from "../methods.ts";
import type { Call, Forward, Pair } from "../translator.ts";
import { holdCodec } from "./codec-memory.ts";
import { isNative } from "./feature.ts";
import { unknownCompressor } from "./refusals.ts";
import { UnpackedUpload } from "./unpacked-upload.ts";

/** Serves an upload: with a compressor that the upstream lacks as a plain one, any other as it is. */
export async function* writeCompressed(
  requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  const upload = new Upload(requests);
  const next = await upload.next();
  if (next === null) return;
  const { message, request: first } = next;
  const name = compressedName(first.resourceName);
  if (name === null || isNative(name.compressor, pair)) {
    for await (const response of forward(chained(message, upload.messages()))) yield [response];
    return;
  }
  const compressor = compressorBySegment(name.compressor);
  if (compressor === null) throw unknownCompressor(name.compressor, pair);
  const hasher = first.writeOffset === 0 ? hasherOf(name, call, pair) : null;
  const unpacked = new UnpackedUpload({ upload, first, name, compressor, hasher });
  const release = holdCodec(call);
  let stored: number;
  try {
    stored = await committed(name, forward(unpacked.requests()));
  } finally {
    release();
  }
  const { sizeBytes } = name.digest;
  if (stored === sizeBytes) yield await reportFor(pair.client, upload, sizeBytes, !upload.finished);
  else if (!upload.finished && upload.ended) yield writeWriteResponse(stored);
  else throw unusable(WRITE, `it says that ${stored} bytes of ${formatDigest(name.digest)} are stored`);
}

/** Asks how far an upload is: by the plain name, under which it goes upstream. The answer counts uncompressed bytes, as the next first offset does. */
export async function* queryCompressed(
  requests: AsyncIterable<Buffer>,
  _call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  for await (const request of requests) yield* query(request, pair, forward);
}

async function* query(request: Buffer, pair: Pair, forward: Forward): AsyncGenerator<readonly Buffer[]> {
  const name = compressedName(resourceNameIn(request) ?? "");
  const isOther = name === null || isNative(name.compressor, pair);
  if (!isOther && compressorBySegment(name.compressor) === null)
    throw unknownCompressor(name.compressor, pair);
  const sent = isOther ? request : renamed(request, formatResourceName({ ...name, compressor: null }));
  for await (const response of forward([sent])) yield [response];
}

/** The bytes that an upload left upstream. */
async function committed({ digest }: ResourceName, responses: AsyncIterable<Buffer>): Promise<number> {
  try {
    return readCommittedSize(await onlyResponse(WRITE, responses));
  } catch (error) {
    // What other servers tell with an early success (D16).
    if (error instanceof UpstreamError && error.code === Status.ALREADY_EXISTS) return digest.sizeBytes;
    throw error;
  }
}

/** What hashes a blob with this name; null where that cannot be done here, and is left to the upstream. */
function hasherOf({ digest, digestFunction }: ResourceName, call: Call, { server }: Pair): Hasher | null {
  // Names of git objects are no hashes of content alone.
  if (server.facts.gitHashes?.is === true) return null;
  try {
    const fn = call.portFor(digestFunction?.number ?? 0).functionOf(digest);
    return canHash(fn) ? createHasher(fn, digest.sizeBytes) : null;
  } catch (error) {
    if (error instanceof UpstreamError) return null;
    throw error;
  }
}

async function* chained(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}
