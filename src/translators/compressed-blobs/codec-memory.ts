import { Holding } from "../holding.ts";
import type { Call } from "../translator.ts";

/** What one compressor at work takes, with the pieces before and behind it. */
const CODEC_BYTES = 4 * 1024 * 1024;

/** Charges a compressor at work; call what it returns when it is not any more. @throws UpstreamError RESOURCE_EXHAUSTED if there is no room. */
export function holdCodec({ budget }: Call): () => void {
  const holding = new Holding(budget);
  holding.take(CODEC_BYTES);
  return () => holding.close();
}
