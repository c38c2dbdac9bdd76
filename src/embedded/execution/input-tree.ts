/** The input root of an action: read from the store as a plan of what to create, with everything that is missing found first. */
import { codec, MalformedMessageError } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { formatDigest } from "../../wire/digest.ts";
import { Digests } from "../digests.ts";
import type { BlobDigest, BlobStore } from "../store/blob-store.ts";
import { concurrently } from "./concurrently.ts";
import { invalid } from "./failure.ts";
import { type Properties, readProperties } from "./node-properties.ts";
import { checkNodeName, quote } from "./paths.ts";

type Directory = Messages["build.bazel.remote.execution.v2.Directory"];

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

/** Shared subtrees make a small upload a huge tree; nobody builds with more entries than this. */
const MAX_ENTRIES = 2_000_000;
const CONCURRENCY = 32;

/**
 * Reads the tree below `root`, as the level knows it.
 * @throws CallError INVALID_ARGUMENT for names, links, digests or properties that the level forbids.
 */
export async function readInputTree(root: BlobDigest, store: BlobStore, level: Level): Promise<InputTree> {
  const tree = new TreeReader(level, root.digestFunction);
  let visits = [{ path: "", digest: root }];
  const directories = new Map<string, Directory | null>();
  while (visits.length > 0) {
    const fresh = new Map(visits.map(({ digest }) => [formatDigest(digest), digest]));
    for (const key of directories.keys()) fresh.delete(key);
    await concurrently(fresh, CONCURRENCY, async ([key, digest]) => {
      const bytes = await store.get(digest);
      directories.set(key, bytes === null ? null : decode(bytes, level, key));
      if (bytes === null) tree.missing.set(key, digest);
    });
    visits = visits.flatMap(({ path, digest }) => {
      const directory = directories.get(formatDigest(digest));
      return directory ? tree.add(path, directory) : [];
    });
  }
  const contents = new Map(tree.files.map(({ digest }) => [formatDigest(digest), digest]));
  await concurrently(contents, CONCURRENCY, async ([key, digest]) => {
    if (!(await store.has(digest))) tree.missing.set(key, digest);
  });
  return { ...tree, missing: [...tree.missing.values()] };
}

function decode(bytes: Buffer, level: Level, key: string): Directory {
  try {
    return codec(level).decode("build.bazel.remote.execution.v2.Directory", bytes);
  } catch (error) {
    if (error instanceof MalformedMessageError) throw invalid("input_root", `blob ${key}: ${error.message}`);
    throw error;
  }
}

/** Collects the entries of one directory after the other, and checks them. */
class TreeReader {
  readonly directories: InputTree["directories"][number][] = [];
  readonly files: InputTree["files"][number][] = [];
  readonly symlinks: InputTree["symlinks"][number][] = [];
  readonly missing = new Map<string, BlobDigest>();
  readonly #lenientTargets: boolean;
  readonly #digests: Digests;
  readonly #digestFunction: number;

  constructor(level: Level, digestFunction: BlobDigest["digestFunction"]) {
    this.#lenientTargets = knows(level, "behaviour:lenient-symlink-targets");
    this.#digests = new Digests(level);
    this.#digestFunction = digestFunction.number;
  }

  /** Adds what a directory holds and returns its subdirectories, which are still to be added. */
  add(path: string, directory: Directory): { path: string; digest: BlobDigest }[] {
    this.directories.push({ path, properties: readProperties(directory, path) });
    const names = new Set<string>();
    const childPath = ({ name }: { name: string }) => {
      checkNodeName(name, path);
      if (names.has(name))
        throw invalid("input_root", `${quote(path)} has two children called ${quote(name)}`);
      names.add(name);
      return path === "" ? name : `${path}/${name}`;
    };
    for (const file of directory.files) {
      const at = childPath(file);
      const digest = this.#digests.read(file.digest, this.#digestFunction, `input_root: file ${quote(at)}`);
      const properties = readProperties(file, at);
      this.files.push({ path: at, digest, executable: file.isExecutable, properties });
    }
    for (const symlink of directory.symlinks) {
      const at = childPath(symlink);
      this.#checkTarget(symlink.target, at);
      this.symlinks.push({ path: at, target: symlink.target, properties: readProperties(symlink, at) });
    }
    const subdirectories = directory.directories.map((child) => {
      const at = childPath(child);
      return {
        path: at,
        digest: this.#digests.read(child.digest, this.#digestFunction, `input_root: ${quote(at)}`),
      };
    });
    const count = this.directories.length + this.files.length + this.symlinks.length + subdirectories.length;
    if (count > MAX_ENTRIES) throw invalid("input_root", `there are more than ${MAX_ENTRIES} entries`);
    return subdirectories;
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
