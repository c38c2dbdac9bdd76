/** Digests as messages carry them, and as the store takes them. */
import { checkDigest } from "../../wire/digest.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import { invalid } from "./failure.ts";

/** A Digest message. */
export interface DigestMessage {
  readonly hash: string;
  readonly sizeBytes: bigint;
}

/** The digest in a message. @throws ExecutionFailure INVALID_ARGUMENT, naming `field`, if it is absent or not one of the function. */
export function digestIn(
  message: DigestMessage | null,
  digestFunction: DigestFunction,
  field: string,
): BlobDigest {
  if (message === null) throw invalid(field, "there is no digest");
  const digest = { hash: message.hash, sizeBytes: Number(message.sizeBytes), digestFunction };
  try {
    checkDigest(digest, digestFunction);
  } catch (error) {
    throw error instanceof WireError ? invalid(field, error.message) : error;
  }
  return digest;
}

/** The message for a digest. */
export function messageOf(digest: BlobDigest): DigestMessage {
  return { hash: digest.hash, sizeBytes: BigInt(digest.sizeBytes) };
}
