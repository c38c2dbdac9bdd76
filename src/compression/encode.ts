import { CodecStream } from "./codec-stream.ts";
import type { Compressor } from "./compressors.ts";
import { gathered, type Parts } from "./parts.ts";

/**
 * The parts, compressed as one frame, in pieces of at most 128 KiB. It takes the next part when the one before has been worked off, and works on other
 * threads. Fails as `parts` do.
 */
export async function* encode(compressor: Compressor, parts: Parts): AsyncGenerator<Buffer> {
  const codec = CodecStream.of(compressor, "encodes");
  if (codec === null) {
    yield* parts;
    return;
  }
  try {
    for await (const part of parts) if (part.length > 0) yield* codec.feed(part);
    yield* codec.finish();
  } finally {
    codec.close();
  }
}

/** {@link encode}, for bytes small enough to be held. */
export function encodeBytes(compressor: Compressor, bytes: Buffer): Promise<Buffer> {
  return gathered(encode(compressor, [bytes]));
}
