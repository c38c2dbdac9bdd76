import { type DigestFunction, digestFunctionByNumber } from "../wire/digest-function.ts";
import { digestOf } from "../wire/hasher.ts";

/** A digest as messages carry it. */
export interface Digest {
  readonly hash: string;
  readonly sizeBytes: bigint;
}

/** Bytes and their digest. */
export interface Blob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** The digest function that every peer has. */
export const SHA256: DigestFunction = digestFunctionByNumber(1)!;

/** The bytes with their digest. @throws RangeError for a digest function that cannot be computed here. */
export function blobOf(content: Buffer | string, digestFunction: DigestFunction = SHA256): Blob {
  const bytes = Buffer.from(content);
  const { hash, sizeBytes } = digestOf(bytes, digestFunction);
  return { digest: { hash, sizeBytes: BigInt(sizeBytes) }, bytes };
}
