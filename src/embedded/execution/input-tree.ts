/** The input root of an action: a plan of what to create, with everything that is missing found first. */
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { formatDigest } from "../../wire/digest.ts";
import { Digests } from "../digests.ts";
import type { BlobDigest, BlobStore } from "../store/blob-store.ts";
import { concurrently } from "./concurrently.ts";
import { invalid } from "./failure.ts";
import { loadDirectories, type StoredDirectory } from "./input-directories.ts";
import { type Properties, readProperties } from "./node-properties.ts";
import { checkNodeName, quote } from "./paths.ts";

/** Something at a path below the input root; the root itself has the path "". */
interface Entry {
  readonly path: string;
  readonly properties: Properties;
}

/** Everything an input root holds. Parents come before their children. */
export interface InputTree {
  readonly directories: readonly Entry[];
  readonly files: readonly (Entry & { readonly digest: BlobDigest; readonly executable: boolean })[];
  readonly symlinks: readonly (Entry & { readonly target: string })[];
  /** The blobs of the tree that the store lacks; the tree is whole only if there are none. */
  readonly missing: readonly BlobDigest[];
}

const CONCURRENCY = 32;

/**
 * Reads the tree below `root`, as the level knows it.
 * @throws CallError INVALID_ARGUMENT for names, links, digests or properties that the level forbids, and as {@link loadDirectories}.
 */
export async function readInputTree(root: BlobDigest, store: BlobStore, level: Level): Promise<InputTree> {
  const stored = await loadDirectories(root, store, level);
  const tree = new TreeReader(level, root.digestFunction.number);
  let visits = [{ path: "", key: stored.root }];
  while (visits.length > 0) {
    visits = visits.flatMap(({ path, key }) => {
      const directory = stored.found.get(key);
      return directory === undefined ? [] : tree.add(path, directory);
    });
  }
  const { directories, files, symlinks } = tree;
  const contents = new Map(files.map(({ digest }) => [formatDigest(digest), digest]));
  const missing = [...stored.missing];
  await concurrently(contents.values(), CONCURRENCY, async (digest) => {
    if (!(await store.has(digest))) missing.push(digest);
  });
  return { directories, files, symlinks, missing };
}

/** Collects the entries of one directory after the other, and checks them. */
class TreeReader {
  readonly directories: InputTree["directories"][number][] = [];
  readonly files: InputTree["files"][number][] = [];
  readonly symlinks: InputTree["symlinks"][number][] = [];
  readonly #lenientTargets: boolean;
  readonly #digests: Digests;
  readonly #digestFunction: number;

  constructor(level: Level, digestFunction: number) {
    this.#lenientTargets = knows(level, "behaviour:lenient-symlink-targets");
    this.#digests = new Digests(level);
    this.#digestFunction = digestFunction;
  }

  /** Adds what a directory holds and returns its subdirectories, which are still to be added. */
  add(path: string, { message, children }: StoredDirectory): { path: string; key: string }[] {
    this.directories.push({ path, properties: readProperties(message, path) });
    const names = new Set<string>();
    const childPath = (name: string) => {
      checkNodeName(name, path);
      if (names.has(name))
        throw invalid("input_root", `${quote(path)} has two children called ${quote(name)}`);
      names.add(name);
      return path === "" ? name : `${path}/${name}`;
    };
    for (const file of message.files) {
      const at = childPath(file.name);
      const digest = this.#digests.read(file.digest, this.#digestFunction, `input_root: ${at}`);
      const properties = readProperties(file, at);
      this.files.push({ path: at, digest, executable: file.isExecutable, properties });
    }
    for (const symlink of message.symlinks) {
      const at = childPath(symlink.name);
      this.#checkTarget(symlink.target, at);
      this.symlinks.push({ path: at, target: symlink.target, properties: readProperties(symlink, at) });
    }
    return children.map(({ name, key }) => ({ path: childPath(name), key }));
  }

  /** Up to 2.1 a target had to be canonical (D34). Where it leads is its own affair: this server allows absolute targets. */
  #checkTarget(target: string, path: string): void {
    if (target === "" || target.includes("\0"))
      throw invalid("input_root", `the link ${quote(path)} leads nowhere`);
    if (!this.#lenientTargets && (target.includes("/./") || target.includes("//"))) {
      throw invalid("input_root", `the target ${quote(target)} of ${quote(path)} has "//" or "/./" in it`);
    }
  }
}
