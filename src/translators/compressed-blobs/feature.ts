import type { Feature, Pair } from "../translator.ts";

/** Compressed blobs, as a feature. */
export const COMPRESSED_BLOBS: Feature = {
  id: "compressed-blobs",
  title: "Compressed blobs over ByteStream",
  since: "2.3",
  drift: ["D15", "D16"],
  why: "A server without the compressor cannot read the names, or stores compressed bytes as if they were the blob.",
  forms: {
    plain: "blobs travel as they are",
    zstd: "under compressed-blobs/zstd as ZSTD",
    deflate: "under compressed-blobs/deflate as raw DEFLATE",
    brotli: "under compressed-blobs/brotli as BROTLI",
  },
};

/** Whether the upstream has a compressor, by its name in names of blobs. */
export function isNative(segment: string, { server }: Pair): boolean {
  return server.features[COMPRESSED_BLOBS.id]?.reads.includes(segment) === true;
}
