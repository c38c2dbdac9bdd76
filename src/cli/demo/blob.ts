import { hash } from "node:crypto";

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

/** The bytes with their SHA-256 digest. */
export function blobOf(content: Buffer | string): Blob {
  const bytes = Buffer.from(content);
  return { digest: { hash: hash("sha256", bytes), sizeBytes: BigInt(bytes.length) }, bytes };
}
