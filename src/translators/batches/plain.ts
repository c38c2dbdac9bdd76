/** The content of a blob in a batch, whatever it was compressed with (D17). */
import { CompressionError } from "../../compression/compression-error.ts";
import { compressorByNumber } from "../../compression/compressors.ts";
import { decode } from "../../compression/decode.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { Status } from "../../wire/status.ts";
import type { Update } from "./entries.ts";

/**
 * The content in parts, as its digest says how long it is; data that are not compressed lie in the message. Whether it has the hash is for the upstream to check.
 * The parts throw an UpstreamError INVALID_ARGUMENT where data are not what their compressor makes, are longer than the digest says, or nobody knows the compressor.
 */
export function plainParts({ data, compressor, digest }: Update): Iterable<Buffer> | AsyncIterable<Buffer> {
  return compressor === 0 ? [data] : decoded(data, compressor, digest.sizeBytes);
}

async function* decoded(data: Buffer, number: number, most: number): AsyncGenerator<Buffer> {
  const compressor = compressorByNumber(number);
  if (compressor === null) throw invalid(`nobody here knows the compressor with the number ${number}`);
  try {
    yield* decode(compressor, [data], most);
  } catch (error) {
    throw error instanceof CompressionError ? invalid(error.message, error) : error;
  }
}

function invalid(message: string, cause?: unknown): UpstreamError {
  return new UpstreamError(Status.INVALID_ARGUMENT, message, undefined, cause);
}
