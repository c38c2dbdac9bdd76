/** Stores a directory that an action made (D40, D41). */
import { lstat, opendir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { codec } from "../../spec/codec.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { digestOf } from "../../wire/hasher.ts";
import { digestMessage } from "../digests.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import { writeProperties } from "./node-properties.ts";
import { checkOutputLink, notAnOutput, type OutputSink } from "./output-sink.ts";
import type { DirectoryFormat } from "./output-spec.ts";

/** Where the stored forms of a directory are. */
export interface StoredDirectory {
  readonly tree: BlobDigest | null;
  readonly root: BlobDigest | null;
}

/**
 * Stores the contents of the directory at `path` and, in the forms asked for, the messages that describe it. A Tree has each distinct
 * directory once and parents before children; both forms depend on nothing but what the directory holds.
 * @throws CallError FAILED_PRECONDITION if there is something in it that is no file, directory or link.
 */
export async function storeDirectory(
  path: string,
  format: DirectoryFormat,
  sink: OutputSink,
): Promise<StoredDirectory> {
  const walk = new TreeWalk(sink);
  const root = await walk.visit(path);
  const { store, digestFunction } = sink;
  if (format.directories)
    for (const [digest, bytes] of walk.directories.values()) await store.put(digest, bytes);
  let tree: BlobDigest | null = null;
  if (format.tree) {
    const bytes = encodeTree([...walk.directories.values()].map(([, directory]) => directory));
    tree = digestOf(bytes, digestFunction);
    await store.put(tree, bytes);
  }
  return { tree, root: format.directories ? root : null };
}

/** Walks a directory from the inside out, so that each Directory is encoded once. */
class TreeWalk {
  /** By hash, children before parents. */
  readonly directories = new Map<string, [BlobDigest, Buffer]>();
  readonly #sink: OutputSink;

  constructor(sink: OutputSink) {
    this.#sink = sink;
  }

  async visit(path: string): Promise<BlobDigest> {
    const { digestFunction, behaviour } = this.#sink;
    const { level } = behaviour;
    const bytes = codec(level).encode("build.bazel.remote.execution.v2.Directory", await this.#read(path));
    const digest = digestOf(bytes, digestFunction);
    this.directories.set(digest.hash, [digest, bytes]);
    return digest;
  }

  async #read(path: string) {
    const { properties, store, digestFunction, behaviour } = this.#sink;
    const { level } = behaviour;
    const files = [];
    const directories = [];
    const symlinks = [];
    for (const name of await sortedNames(path)) {
      const at = join(path, name);
      const stats = await lstat(at, { bigint: true });
      const own = writeProperties(stats, properties, level);
      if (stats.isFile()) {
        const digest = digestMessage(await store.putFile(at, digestFunction));
        files.push({ name, digest, isExecutable: (stats.mode & 0o100n) !== 0n, ...own });
      } else if (stats.isDirectory()) {
        directories.push({ name, digest: digestMessage(await this.visit(at)) });
      } else if (stats.isSymbolicLink()) {
        const target = await readlink(at);
        checkOutputLink(at, target, this.#sink);
        symlinks.push({ name, target, ...own });
      } else throw notAnOutput(at);
    }
    const stats = await lstat(path, { bigint: true });
    return { files, directories, symlinks, ...writeProperties(stats, properties, level) };
  }
}

/** Sorted by code point, as names of a Directory must be. */
async function sortedNames(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of await opendir(path)) names.push(entry.name);
  return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The Tree of directories given children first: the root has field 1, the others field 2. */
function encodeTree(directories: readonly Buffer[]): Buffer {
  const out = new FieldWriter();
  for (const [index, directory] of directories.toReversed().entries())
    out.bytes(index === 0 ? 1 : 2, directory);
  return out.toBuffer();
}
