/** Compressed blobs, as streams carry them (D15). */
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateRawSync,
  inflateRawSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import type { Compressor } from "./manner.ts";

interface Codec {
  /** The name in names of blobs. */
  readonly segment: string;
  compress(bytes: Buffer): Buffer;
  /** The bytes; throws if they are broken, or more than `most`. */
  decompress(bytes: Buffer, most: number): Buffer;
}

const limit = (most: number) => ({ maxOutputLength: Math.max(most, 1) });

/** All that are known, by name. */
export const COMPRESSORS: Readonly<Record<Compressor, Codec>> = {
  ZSTD: {
    segment: "zstd",
    compress: (bytes) => zstdCompressSync(bytes),
    decompress: (bytes, most) => zstdDecompressSync(bytes, limit(most)),
  },
  DEFLATE: {
    segment: "deflate",
    compress: (bytes) => deflateRawSync(bytes),
    decompress: (bytes, most) => inflateRawSync(bytes, limit(most)),
  },
  BROTLI: {
    segment: "brotli",
    compress: (bytes) => brotliCompressSync(bytes),
    decompress: (bytes, most) => brotliDecompressSync(bytes, limit(most)),
  },
};
