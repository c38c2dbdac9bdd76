/** The digest functions the embedded server can compute, and which of them a level offers. */
import { createHash } from "node:crypto";
import { type ElementId, knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../wire/digest-function.ts";
import type { BlobDigest } from "./blob-store.ts";
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
  ["GITSHA1", (sizeBytes) => native("sha1", `blob ${sizeBytes}\0`)],
]);

/** The functions that a server of this level offers, SHA256 first: those of its schema that can be computed here. */
export function offeredFunctions(level: Level): readonly DigestFunction[] {
  return DIGEST_FUNCTIONS.filter(
    ({ name }) =>
      HASHERS.has(name) &&
      knows(level, `build.bazel.remote.execution.v2.DigestFunction.Value.${name}` as ElementId),
  );
}

/**
 * Begins the hash of a blob of `sizeBytes`, which GITSHA1 needs to know first (D09).
 * @throws RangeError for a function no level offers.
 */
export function createHasher({ name }: DigestFunction, sizeBytes: number): Hasher {
  const begin = HASHERS.get(name);
  if (begin === undefined) throw new RangeError(`${name} hashes cannot be computed here`);
  return begin(sizeBytes);
}

/** The digest of bytes. @throws RangeError as {@link createHasher}. */
export function digestOf(bytes: Uint8Array, digestFunction: DigestFunction): BlobDigest {
  const hasher = createHasher(digestFunction, bytes.length);
  hasher.update(bytes);
  return { hash: hasher.finish(), sizeBytes: bytes.length, digestFunction };
}

function native(algorithm: string, prefix = ""): Hasher {
  const hash = createHash(algorithm).update(prefix);
  return { update: (chunk) => void hash.update(chunk), finish: () => hash.digest("hex") };
}
