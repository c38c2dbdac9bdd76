/** The compressions the embedded server can do, and which of them a level has (D15, D17). */
import { pipeline, Readable, type Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflateRaw,
  createInflateRaw,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";
import { type ElementId, knows } from "../spec/ledger.ts";
import type { Level } from "../spec/versions.ts";
import { Status } from "../wire/status.ts";
import { CallError } from "./call-error.ts";

/** One value of `Compressor.Value` other than IDENTITY. */
export interface Compressor {
  /** Name of the enum value; in lower case it stands in resource names. */
  readonly name: string;
  /** Number of the enum value. */
  readonly number: number;
  readonly compress: () => Transform;
  readonly decompress: () => Transform;
}

/** The default quality of Brotli is for what is compressed once and read for years. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const COMPRESSORS: readonly Compressor[] = [
  { name: "ZSTD", number: 1, compress: () => createZstdCompress(), decompress: () => createZstdDecompress() },
  { name: "DEFLATE", number: 2, compress: () => createDeflateRaw(), decompress: () => createInflateRaw() },
  {
    name: "BROTLI",
    number: 3,
    compress: () => createBrotliCompress(BROTLI),
    decompress: () => createBrotliDecompress(),
  },
];

/** The compressors that a server of this level offers, the preferred one first. */
export function offeredCompressors(level: Level): readonly Compressor[] {
  return COMPRESSORS.filter(({ name }) =>
    knows(level, `build.bazel.remote.execution.v2.Compressor.Value.${name}` as ElementId),
  );
}

/** The compressors with these names of enum values; there is none for IDENTITY. */
export function compressorsNamed(names: readonly string[]): readonly Compressor[] {
  return names.flatMap((name) => COMPRESSORS.filter((compressor) => compressor.name === name));
}

/** The chunks, compressed. Fails as they do. */
export function compressed(compressor: Compressor, chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  return through(chunks, compressor.compress());
}

/**
 * The chunks, decompressed; they may be several frames in a row. Fails as they do, and with INVALID_ARGUMENT if they are not what
 * the compressor makes. Without a bound of its own: stop reading when there is more than there should be.
 */
export async function* decompressed(
  compressor: Compressor,
  chunks: AsyncIterable<Buffer>,
): AsyncIterable<Buffer> {
  let cause: unknown = null;
  async function* source(): AsyncIterable<Buffer> {
    try {
      yield* chunks;
    } catch (error) {
      cause = error;
      throw error;
    }
  }
  try {
    yield* through(source(), compressor.decompress());
  } catch (error) {
    if (error === cause) throw error;
    const { message } = error as Error;
    throw new CallError(Status.INVALID_ARGUMENT, `the data are not valid ${compressor.name}: ${message}`);
  }
}

/** {@link compressed}, for bytes at hand. */
export function compressBytes(compressor: Compressor, bytes: Buffer): Promise<Buffer> {
  return buffer(compressed(compressor, one(bytes)));
}

/**
 * {@link decompressed}, for bytes at hand and a plain size that is known.
 * @throws CallError INVALID_ARGUMENT also if there are more than `sizeBytes`.
 */
export async function decompressBytes(
  compressor: Compressor,
  bytes: Buffer,
  sizeBytes: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of decompressed(compressor, one(bytes))) {
    total += chunk.length;
    if (total > sizeBytes)
      throw new CallError(Status.INVALID_ARGUMENT, `the data decompress to more than ${sizeBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* one(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes;
}

/** Ends the source, the transform or both when the reader stops early. */
async function* through(chunks: AsyncIterable<Buffer>, transform: Transform): AsyncIterable<Buffer> {
  const source = Readable.from(chunks, { objectMode: true });
  // Whatever fails destroys both streams with its error, which then ends the loop below.
  pipeline(source, transform, () => {});
  for await (const chunk of transform) yield chunk as Buffer;
}
