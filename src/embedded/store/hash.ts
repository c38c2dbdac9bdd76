/** The digest functions the embedded server can compute, and which of them a level offers. */
import { createHash } from "node:crypto";
import { type ElementId, knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../wire/digest-function.ts";
import type { BlobDigest } from "./blob-store.ts";

/** By name of the digest function, what the cryptographic library calls it. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ["SHA256", "sha256"],
  ["SHA1", "sha1"],
  ["MD5", "md5"],
  ["SHA384", "sha384"],
  ["SHA512", "sha512"],
  ["GITSHA1", "sha1"],
]);

/** Hashes bytes that come in pieces. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  /** The hash in lower-case hexadecimal; call it once. */
  finish(): string;
}

/** The functions that a server of this level offers, SHA256 first: those of its schema that can be computed here. */
export function offeredFunctions(level: Level): readonly DigestFunction[] {
  return DIGEST_FUNCTIONS.filter(
    ({ name }) =>
      ALGORITHMS.has(name) &&
      knows(level, `build.bazel.remote.execution.v2.DigestFunction.Value.${name}` as ElementId),
  );
}

/**
 * Begins the hash of a blob of `sizeBytes`, which GITSHA1 needs to know first (D09).
 * @throws RangeError for a function no level offers.
 */
export function createHasher({ name }: DigestFunction, sizeBytes: number): Hasher {
  const algorithm = ALGORITHMS.get(name);
  if (algorithm === undefined) throw new RangeError(`${name} hashes cannot be computed here`);
  const hash = createHash(algorithm);
  if (name === "GITSHA1") hash.update(`blob ${sizeBytes}\0`);
  return { update: (chunk) => void hash.update(chunk), finish: () => hash.digest("hex") };
}

/** The digest of bytes. @throws RangeError as {@link createHasher}. */
export function digestOf(bytes: Uint8Array, digestFunction: DigestFunction): BlobDigest {
  const hasher = createHasher(digestFunction, bytes.length);
  hasher.update(bytes);
  return { hash: hasher.finish(), sizeBytes: bytes.length, digestFunction };
}
