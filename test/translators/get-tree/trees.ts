/** Trees of Directories in the store. */
import { codec, type Draft } from "../../../src/spec/codec.ts";
import { childrenOf } from "../../../src/tree/directory.ts";
import { type Digest, formatDigest } from "../../../src/wire/digest.ts";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";
import { digestOf } from "../../../src/wire/hasher.ts";
import type { MemoryUpstream } from "../../support/memory-upstream.ts";
import type { V2Message } from "../../support/reapi-client.ts";

const V2 = "build.bazel.remote.execution.v2";

/** A directory as tests write it: directories by name, and names of files. */
export interface Plant {
  readonly [name: string]: Plant | string;
}

/** The bytes of a directory, those of what is below it being given to `store`. Files hold their text. */
export function directoryOf(plant: Plant, store: (bytes: Buffer) => Digest): Buffer {
  const message = (bytes: Buffer) => {
    const { hash, sizeBytes } = store(bytes);
    return { hash, sizeBytes: BigInt(sizeBytes) };
  };
  const names = Object.keys(plant).sort();
  const directories = names.flatMap((name) => {
    const below = plant[name]!;
    return typeof below === "string" ? [] : [{ name, digest: message(directoryOf(below, store)) }];
  });
  const files = names.flatMap((name) => {
    const text = plant[name]!;
    return typeof text === "string" ? [{ name, digest: message(Buffer.from(text)) }] : [];
  });
  return codec().encode(`${V2}.Directory`, { directories, files });
}

/** Stores a tree in memory and returns the digest of its root. */
export function planted(upstream: MemoryUpstream, plant: Plant): Digest {
  return upstream.put(directoryOf(plant, (bytes) => upstream.put(bytes)));
}

/** Every directory that can be reached from the root, by `hash/size`. */
export function reachable(upstream: MemoryUpstream, root: Digest): Set<string> {
  const seen = new Set<string>();
  const visit = (digest: Digest): void => {
    const key = formatDigest(digest);
    const bytes = digest.sizeBytes === 0 ? Buffer.alloc(0) : upstream.blobs.get(key);
    if (bytes === undefined || seen.has(key)) return;
    seen.add(key);
    for (const child of childrenOf(bytes)) visit(child.digest);
  };
  visit(root);
  return seen;
}

/** A `GetTreeRequest`. */
export function treeRequest(root: Digest, more: Draft<V2Message<"GetTreeRequest">> = {}): Buffer {
  return codec().encode(`${V2}.GetTreeRequest`, {
    rootDigest: { hash: root.hash, sizeBytes: BigInt(root.sizeBytes) },
    ...more,
  });
}

/** The `hash/size` of the stored bytes. */
export function keyOf(bytes: Buffer): string {
  return formatDigest(digestOf(bytes, DIGEST_FUNCTIONS[0]!));
}
