import { CodecStream } from "./codec-stream.ts";
import { CompressionError } from "./compression-error.ts";
import type { Compressor } from "./compressors.ts";
import { gathered, type Parts } from "./parts.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/**
 * The parts, decompressed, in pieces of at most 128 KiB: of ZSTD one or more frames, of the others one stream. It takes the next part when the one before has
 * been worked off, and works on other threads. Fails as `parts` do.
 * @throws CompressionError for parts that are not what the compressor makes, and as soon as more than `most` bytes come of them.
 */
export async function* decode(compressor: Compressor, parts: Parts, most: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const piece of pieces(compressor, parts)) {
    size += piece.length;
    if (size > most)
      throw new CompressionError(compressor, "too-long", `have more than ${most} bytes in them`);
    yield piece;
  }
}

/** {@link decode}, for bytes small enough to be held, as what comes of them must be. */
export function decodeBytes(compressor: Compressor, bytes: Buffer, most: number): Promise<Buffer> {
  return gathered(decode(compressor, [bytes], most));
}

async function* pieces(compressor: Compressor, parts: Parts): AsyncGenerator<Buffer> {
  const codec = CodecStream.of(compressor, "decodes");
  if (codec === null) {
    yield* parts;
    return;
  }
  const frames = compressor.name === "ZSTD" ? new ZstdFrames() : null;
  try {
    for await (const part of parts) {
      if (part.length === 0) continue;
      const follows = frames?.follow(part) ?? true;
      yield* worked(codec.feed(part), compressor, "broken");
      // zlib ignores what is behind the end.
      if (!codec.tookAll || !follows) {
        throw new CompressionError(compressor, "trailing", "go on behind their end");
      }
    }
    if (codec.fed === 0 || frames?.complete === false) throw truncated(compressor);
    yield* worked(codec.finish(), compressor, "truncated");
  } finally {
    codec.close();
  }
}

function truncated(compressor: Compressor): CompressionError {
  return new CompressionError(compressor, "truncated", "end too early");
}

/** What fails in zlib, in our words. */
async function* worked(
  pieces: AsyncIterable<Buffer>,
  compressor: Compressor,
  problem: "broken" | "truncated",
): AsyncGenerator<Buffer> {
  try {
    yield* pieces;
  } catch (error) {
    if (problem === "truncated") throw truncated(compressor);
    throw new CompressionError(compressor, problem, `are broken: ${(error as Error).message}`);
  }
}
