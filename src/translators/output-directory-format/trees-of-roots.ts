/** Gives output directories that are a root Directory alone a Tree as well (D40, D41). */
import { childrenOf } from "../../tree/directory.ts";
import { makeTree } from "../../tree/tree-message.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import type { Derived, Edit, Originals } from "../translator.ts";
import {
  type Addition,
  type OutputDirectory,
  outputDirectoriesIn,
  withAdditions,
} from "./output-directory.ts";

/** The most bytes, and the most directories, of one Tree that is made here. */
const MOST_BYTES = 16 << 20;
const MOST_DIRECTORIES = 100_000;

/** Where directories are read and the Tree is stored. */
export type TreeStore = Pick<Originals, "port" | "digestOf" | "derive">;

/**
 * The result with Trees, topologically sorted and marked so, next to root digests that stand alone; null where none does. `tooLarge` makes the refusal of a
 * directory that is more than one Tree holds.
 * @throws what `tooLarge` makes; UpstreamError, such as NOT_FOUND where a directory is missing; WireError for broken ones.
 */
export async function withTrees(
  result: Buffer,
  store: TreeStore,
  tooLarge: (path: string) => Error,
): Promise<Edit> {
  const additions = new Map<number, Addition>();
  for (const { path, tree, root, at } of outputDirectoriesIn(result)) {
    if (tree !== null || root === null) continue;
    const key = `output-directory-format: tree of ${formatDigest(root)}`;
    const made = await store.derive(key, () => treeOf(root, store, () => tooLarge(path)));
    additions.set(at, { tree: made });
  }
  return withAdditions(result, additions);
}

/** Whether a result has output directories without a Tree. */
export function lacksTrees(result: Buffer): boolean {
  return outputDirectoriesIn(result).some(
    ({ tree, root }: OutputDirectory) => tree === null && root !== null,
  );
}

async function treeOf(
  root: Digest,
  { port, digestOf }: TreeStore,
  tooLarge: () => Error,
): Promise<Derived<Digest>> {
  const directories = await directoriesBelow(root, port, tooLarge);
  const load = (digest: Digest): Buffer => directories.get(formatDigest(digest)) ?? Buffer.alloc(0);
  const { bytes } = makeTree(load(root), load);
  const digest = digestOf(bytes);
  return { value: digest, blobs: [{ digest, bytes }] };
}

/** Every directory from the root down by `hash/size`, read level by level; the empty one is not asked for (D13). */
async function directoriesBelow(
  root: Digest,
  port: TreeStore["port"],
  tooLarge: () => Error,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const seen = new Set<string>();
  let bytes = 0;
  let level: Digest[] = [];
  const add = (digest: Digest): void => {
    const key = formatDigest(digest);
    if (digest.sizeBytes === 0 || seen.has(key)) return;
    seen.add(key);
    bytes += digest.sizeBytes;
    if (bytes > MOST_BYTES || seen.size > MOST_DIRECTORIES) throw tooLarge();
    level.push(digest);
  };
  add(root);
  while (level.length > 0) {
    const wanted = level;
    level = [];
    for await (const read of port.readBlobs(wanted, MOST_BYTES)) {
      if ("error" in read) throw read.error;
      found.set(formatDigest(read.digest), read.bytes);
      for (const { digest } of childrenOf(read.bytes)) add(digest);
    }
  }
  return found;
}
