/** Digests: a hash in hexadecimal and a size in bytes. */
import { DIGEST_FUNCTIONS, type DigestFunction } from "./digest-function.ts";
import { MAX_VARINT_BYTES, writeVarint } from "./varint.ts";
import type { Walker } from "./walker.ts";
import { WireError } from "./wire-error.ts";

/** The digest of a blob. */
export interface Digest {
  /** Hexadecimal digits; lower case, if {@link checkDigest} has seen it. */
  readonly hash: string;
  /** Bytes of the blob, a safe integer. */
  readonly sizeBytes: number;
}

const LENGTHS = new Set(DIGEST_FUNCTIONS.map((f) => f.hexDigits));
const LOWER_HEX = /^[0-9a-f]+$/;
const ANY_HEX = /^[0-9a-fA-F]+$/;
const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** `hash/size`, as in resource names and logs. */
export function formatDigest(digest: Digest): string {
  return `${digest.hash}/${digest.sizeBytes}`;
}

/**
 * Reads `hash/size` and checks it as {@link checkDigest} does.
 * @throws WireError `digest-hash` or `digest-size`.
 */
export function parseDigest(text: string, digestFunction: DigestFunction | null = null): Digest {
  const slash = text.indexOf("/");
  if (slash < 0)
    throw new WireError("digest-size", `digest "${shorten(text)}" has no "/" and size after the hash`);
  const digest = { hash: text.slice(0, slash), sizeBytes: parseSize(text.slice(slash + 1)) };
  checkDigest(digest, digestFunction);
  return digest;
}

/**
 * Reads a size: decimal digits, no sign, no leading zero.
 * @throws WireError `digest-size`, also beyond 2^53-1.
 */
export function parseSize(text: string): number {
  const size = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) {
    throw new WireError(
      "digest-size",
      `"${shorten(text)}" is not a blob size: a decimal number from 0 to 2^53-1`,
    );
  }
  return size;
}

/**
 * Checks a digest by the rule of D12: lower-case hexadecimal, of the function's length, or of any function's if none is given.
 * @throws WireError `digest-hash` (with the hash as received) or `digest-size`.
 */
export function checkDigest(digest: Digest, digestFunction: DigestFunction | null = null): void {
  const { hash, sizeBytes } = digest;
  if (!LOWER_HEX.test(hash)) {
    const why = ANY_HEX.test(hash) ? "has upper-case digits" : "is not hexadecimal";
    throw new WireError(
      "digest-hash",
      `the hash "${shorten(hash)}" ${why}; hashes are lower-case hexadecimal`,
    );
  }
  if (digestFunction === null ? !LENGTHS.has(hash.length) : hash.length !== digestFunction.hexDigits) {
    const wanted =
      digestFunction === null
        ? "no digest function has hashes of that length"
        : `${digestFunction.name} has ${digestFunction.hexDigits}`;
    throw new WireError("digest-hash", `the hash "${shorten(hash)}" has ${hash.length} digits; ${wanted}`);
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new WireError("digest-size", `${sizeBytes} is not a blob size: a number from 0 to 2^53-1`);
  }
}

/**
 * Reads a Digest message; absent fields are "" and 0. The digest is not checked, except that a size must be a safe integer.
 * @throws WireError as the walker does, or `digest-size`.
 */
export function readDigest(message: Walker): Digest {
  let hash = "";
  let sizeBytes = 0;
  while (message.next()) {
    if (message.number === 1) hash = message.text();
    else if (message.number === 2) sizeBytes = message.integer();
  }
  if (sizeBytes < 0)
    throw new WireError("digest-size", `the digest of "${shorten(hash)}" has the size ${sizeBytes}`);
  return { hash, sizeBytes };
}

/** The Digest message, in canonical form. */
export function encodeDigest({ hash, sizeBytes }: Digest): Buffer {
  const length = Buffer.byteLength(hash);
  // Not by a FieldWriter, which is made for messages of any length: requests are about thousands of digests.
  const message = Buffer.allocUnsafe(2 + length + 2 * MAX_VARINT_BYTES);
  let at = 0;
  if (length > 0) {
    message[at++] = HASH_TAG;
    at = writeVarint(message, at, length);
    at += message.write(hash, at);
  }
  if (sizeBytes !== 0) {
    message[at++] = SIZE_TAG;
    at = writeVarint(message, at, sizeBytes);
  }
  return message.subarray(0, at);
}

/** Tags of the fields of Digest. */
const HASH_TAG = 0x0a;
const SIZE_TAG = 0x10;

/** Long enough for every hash; what a message quotes stays bounded. */
function shorten(text: string): string {
  return text.length > 140 ? `${text.slice(0, 137)}...` : text;
}
