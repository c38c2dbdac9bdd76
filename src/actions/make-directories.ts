/** Puts directories into an input tree where they are missing (D28). */

import { entryNames, withDirectories } from "../tree/add-directories.ts";
import { type Child, childrenOf } from "../tree/directory.ts";
import type { Blob } from "../upstream/port.ts";
import type { Digest } from "../wire/digest.ts";
import { formatDigest } from "../wire/digest.ts";

/** What is to be there below a directory, by name. */
type Wanted = Map<string, Wanted>;

/** Reads a directory of the tree. */
type Load = (digest: Digest) => Promise<Buffer>;

/** A tree with new directories: its root, and those that differ from what was there. */
export interface WithDirectories {
  readonly root: Digest;
  /** New or changed directories, each with the one it stands in place of; null for new ones. */
  readonly made: readonly (Blob & { readonly before: Digest | null })[];
}

/**
 * Makes the directories at `paths` where nothing has that name; what is there of another kind stays. Only directories on the way to new ones change.
 * @param paths From the root, normalised, none of them empty or with `..`.
 */
export async function makeDirectories(
  root: Digest,
  paths: readonly string[],
  load: Load,
  digestOf: (bytes: Buffer) => Digest,
): Promise<WithDirectories> {
  const wanted: Wanted = new Map();
  for (const path of paths) {
    let at = wanted;
    for (const name of path.split("/")) {
      const next: Wanted = at.get(name) ?? new Map();
      at.set(name, next);
      at = next;
    }
  }
  const made = new Map<string, Blob & { before: Digest | null }>();
  const visit = async (before: Digest | null, below: Wanted): Promise<Digest | null> => {
    const bytes = before === null ? Buffer.alloc(0) : await load(before);
    const present = new Map(childrenOf(bytes).map((child) => [child.name, child.digest]));
    const taken = below.size === 0 ? new Set<string>() : entryNames(bytes);
    const changed: Child[] = [];
    for (const [name, deeper] of below) {
      const there = present.get(name) ?? null;
      if (there === null && taken.has(name)) continue;
      if (there !== null && deeper.size === 0) continue;
      const digest = await visit(there, deeper);
      if (digest !== null) changed.push({ name, digest });
    }
    if (before !== null && changed.length === 0) return null;
    const after = withDirectories(bytes, changed);
    const digest = digestOf(after);
    made.set(formatDigest(digest), { digest, bytes: after, before });
    return digest;
  };
  const digest = await visit(root, wanted);
  return { root: digest ?? root, made: [...made.values()] };
}
