import { UpstreamError } from "../../upstream/upstream-error.ts";
import { Status } from "../../wire/status.ts";
import type { Call } from "../translator.ts";

/** What one compressor at work takes, with the pieces before and behind it. */
const CODEC_BYTES = 4 * 1024 * 1024;

/** Charges a compressor at work; call what it returns when it is not any more. @throws UpstreamError RESOURCE_EXHAUSTED if there is no room. */
export function holdCodec({ budget }: Call): () => void {
  if (budget.free < CODEC_BYTES) {
    const message = "the bridge has no memory for another compressed stream; try again later";
    throw new UpstreamError(Status.RESOURCE_EXHAUSTED, message);
  }
  budget.charge(CODEC_BYTES);
  return () => budget.charge(-CODEC_BYTES);
}
