/** Computes the hashes of digests, for those digest functions that can be computed here. */
import { createHash } from "node:crypto";
import { Blake3 } from "./blake3.ts";
import type { Digest } from "./digest.ts";
import type { DigestFunction } from "./digest-function.ts";
import { Sha256Tree } from "./sha256-tree.ts";

/** Hashes bytes that come in pieces. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  /** The hash in lower-case hexadecimal; call it once. */
  finish(): string;
}

/** By name of the digest function, how a hash of a blob of so many bytes begins. */
const HASHERS = new Map<string, (sizeBytes: number) => Hasher>([
  ["SHA256", () => native("sha256")],
  ["SHA1", () => native("sha1")],
  ["MD5", () => native("md5")],
  ["SHA384", () => native("sha384")],
  ["SHA512", () => native("sha512")],
  ["SHA256TREE", () => new Sha256Tree()],
  ["BLAKE3", () => new Blake3()],
  ["GITSHA1", (sizeBytes) => native("sha1", `blob ${sizeBytes}\0`)],
]);

/** Whether the hashes of a function can be computed here: not those of VSO and MURMUR3. */
export function canHash({ name }: DigestFunction): boolean {
  return HASHERS.has(name);
}

/**
 * Begins the hash of a blob of `sizeBytes`, which GITSHA1 needs to know first (D09).
 * @throws RangeError for a function that {@link canHash} denies.
 */
export function createHasher({ name }: DigestFunction, sizeBytes: number): Hasher {
  const begin = HASHERS.get(name);
  if (begin === undefined) throw new RangeError(`${name} hashes cannot be computed here`);
  return begin(sizeBytes);
}

/** The digest of bytes. @throws RangeError as {@link createHasher}. */
export function digestOf(
  bytes: Uint8Array,
  digestFunction: DigestFunction,
): Digest & { readonly digestFunction: DigestFunction } {
  const hasher = createHasher(digestFunction, bytes.length);
  hasher.update(bytes);
  return { hash: hasher.finish(), sizeBytes: bytes.length, digestFunction };
}

function native(algorithm: string, prefix = ""): Hasher {
  const hash = createHash(algorithm).update(prefix);
  return { update: (chunk) => void hash.update(chunk), finish: () => hash.digest("hex") };
}
