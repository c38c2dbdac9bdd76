/** The Directory messages below an input root, each distinct one once. */
import { codec, MalformedMessageError } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { formatDigest } from "../../wire/digest.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { Digests } from "../digests.ts";
import type { BlobDigest, BlobStore } from "../store/blob-store.ts";
import { concurrently } from "./concurrently.ts";
import { invalid } from "./failure.ts";
import { checkFields } from "./unknown-fields.ts";

const DIRECTORY = "build.bazel.remote.execution.v2.Directory";

type Directory = Messages[typeof DIRECTORY];

/** A directory, and those directly in it. */
export interface StoredDirectory {
  readonly message: Directory;
  readonly children: readonly { readonly name: string; readonly key: string }[];
}

/** Directories by key, `hash/size`. */
export interface InputDirectories {
  readonly root: string;
  readonly found: ReadonlyMap<string, StoredDirectory>;
  /** Those that are not stored. */
  readonly missing: readonly BlobDigest[];
}

/** A path has at most 4096 bytes where this server runs. */
const MAX_DEPTH = 2048;
/** Shared subtrees make a huge tree of a small upload; nobody builds with more entries than this. */
const MAX_ENTRIES = 1_000_000;
const CONCURRENCY = 32;

/**
 * Loads them all.
 * @throws CallError INVALID_ARGUMENT for what is no Directory as the level knows it, and for a tree with more than a million entries.
 */
export async function loadDirectories(
  root: BlobDigest,
  store: BlobStore,
  behaviour: Behaviour,
): Promise<InputDirectories> {
  const digests = new Digests(behaviour.functions);
  const found = new Map<string, StoredDirectory>();
  const missing = new Map<string, BlobDigest>();
  let wanted = new Map([[formatDigest(root), root]]);
  for (let depth = 0; wanted.size > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw invalid("input_root", `it is more than ${MAX_DEPTH} directories deep`);
    const next = new Map<string, BlobDigest>();
    await concurrently(wanted, CONCURRENCY, async ([key, digest]) => {
      const bytes = await store.get(digest);
      if (bytes === null) {
        missing.set(key, digest);
        return;
      }
      if (behaviour.actions.strictFields) checkFields(DIRECTORY, bytes, behaviour.level);
      const message = decode(bytes, behaviour.level, key);
      const children = message.directories.map(({ name, digest: child }) => {
        const childDigest = digests.read(child, root.digestFunction.number, `input_root: ${key}: ${name}`);
        const childKey = formatDigest(childDigest);
        next.set(childKey, childDigest);
        return { name, key: childKey };
      });
      found.set(key, { message, children });
    });
    for (const key of next.keys()) if (found.has(key) || missing.has(key)) next.delete(key);
    wanted = next;
  }
  const directories = { root: formatDigest(root), found, missing: [...missing.values()] };
  if (countEntries(directories) > MAX_ENTRIES) {
    throw invalid("input_root", `there are more than ${MAX_ENTRIES} entries`);
  }
  return directories;
}

function decode(bytes: Buffer, level: Behaviour["level"], key: string): Directory {
  try {
    return codec(level).decode(DIRECTORY, bytes);
  } catch (error) {
    if (error instanceof MalformedMessageError) throw invalid("input_root", `${key} is ${error.message}`);
    throw error;
  }
}

/** The entries of the whole tree, counted without unfolding it. A digest cannot be made to contain itself, so that this ends. */
function countEntries({ root, found }: InputDirectories): number {
  const counts = new Map<string, number>();
  const count = (key: string): number => {
    const known = counts.get(key);
    if (known !== undefined) return known;
    const directory = found.get(key);
    let total = 1;
    if (directory !== undefined) {
      total += directory.message.files.length + directory.message.symlinks.length;
      for (const child of directory.children) total += count(child.key);
    }
    counts.set(key, total);
    return total;
  };
  return count(root);
}
