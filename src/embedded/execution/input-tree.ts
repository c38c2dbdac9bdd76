/** The input root of an action: a plan of what to create, with everything that is missing found first. */
import { formatDigest } from "../../wire/digest.ts";
import type { ActionRules, Behaviour } from "../behaviour/behaviour.ts";
import { Digests } from "../digests.ts";
import type { BlobDigest, BlobStore } from "../store/blob-store.ts";
import { concurrently } from "./concurrently.ts";
import { invalid } from "./failure.ts";
import { loadDirectories, type StoredDirectory } from "./input-directories.ts";
import { type Properties, type PropertyFields, readProperties } from "./node-properties.ts";
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
 * Reads the tree below `root`, as the server sees it: without links if it makes none.
 * @throws CallError INVALID_ARGUMENT for names, links, digests or properties that the server forbids, and as {@link loadDirectories}.
 */
export async function readInputTree(
  root: BlobDigest,
  store: BlobStore,
  behaviour: Behaviour,
): Promise<InputTree> {
  const stored = await loadDirectories(root, store, behaviour);
  const tree = new TreeReader(behaviour, root.digestFunction.number);
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
  readonly #actions: ActionRules;
  readonly #digests: Digests;
  readonly #digestFunction: number;

  constructor({ functions, actions }: Behaviour, digestFunction: number) {
    this.#actions = actions;
    this.#digests = new Digests(functions);
    this.#digestFunction = digestFunction;
  }

  /** Adds what a directory holds and returns its subdirectories, which are still to be added. */
  add(path: string, { message, children }: StoredDirectory): { path: string; key: string }[] {
    this.directories.push({ path, properties: this.#properties(message, path) });
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
      const properties = this.#properties(file, at);
      this.files.push({ path: at, digest, executable: file.isExecutable, properties });
    }
    for (const symlink of message.symlinks) {
      const at = childPath(symlink.name);
      this.#checkTarget(symlink.target, at);
      const properties = this.#properties(symlink, at);
      if (this.#actions.symlinks) this.symlinks.push({ path: at, target: symlink.target, properties });
    }
    return children.map(({ name, key }) => ({ path: childPath(name), key }));
  }

  #properties(node: PropertyFields, path: string): Properties {
    const { mtime, mode } = readProperties(node, path);
    const { applied } = this.#actions;
    return {
      mtime: applied.includes("mtime") ? mtime : null,
      mode: applied.includes("unix_mode") ? mode : null,
    };
  }

  /** Up to 2.1 a target had to be canonical (D34). Where it leads is its own affair, unless the server allows no absolute targets. */
  #checkTarget(target: string, path: string): void {
    if (!this.#actions.absoluteSymlinks && target.startsWith("/"))
      throw invalid("input_root", `the link ${quote(path)} is absolute, which this server does not allow`);
    if (target === "" || target.includes("\0"))
      throw invalid("input_root", `the link ${quote(path)} leads nowhere`);
    if (this.#actions.strictTargets && (target.includes("/./") || target.includes("//"))) {
      throw invalid("input_root", `the target ${quote(target)} of ${quote(path)} has "//" or "/./" in it`);
    }
  }
}
