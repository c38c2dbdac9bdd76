/** Creates the input root of an action on disk. */
import { chmod, lutimes, mkdir, stat, symlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobDigest, BlobStore } from "../store/blob-store.ts";
import { concurrently } from "./concurrently.ts";
import { invalid, missing } from "./failure.ts";
import type { InputTree } from "./input-tree.ts";
import type { Properties } from "./node-properties.ts";
import { isWithin, quote } from "./paths.ts";

const CONCURRENCY = 16;

/** What is to be on disk before a command runs. All paths start at the input root. */
export interface Workplace {
  readonly tree: InputTree;
  /** Has to be a directory of the tree; links to one count. */
  readonly workingDirectory: string;
  /** Directories that are created if they are not there: those that lead to outputs, and outputs themselves. */
  readonly outputDirectories: readonly string[];
}

/**
 * Creates all of it in `root`, an empty directory whose path has no links. Files are copies with the permissions 644, or 755 if they are
 * executable, except where node properties say otherwise.
 * @throws CallError: FAILED_PRECONDITION if a blob has gone meanwhile, INVALID_ARGUMENT if the working directory is not there, or an
 * output cannot be where it is wanted because a file is in the way or a link leads out of the root.
 */
export async function materialise(work: Workplace, root: string, store: BlobStore): Promise<void> {
  const { directories, files, symlinks } = work.tree;
  for (const { path } of directories) if (path !== "") await mkdir(join(root, path));
  const gone: BlobDigest[] = [];
  await concurrently(files, CONCURRENCY, async ({ path, digest, executable, properties }) => {
    const at = join(root, path);
    if (!(await store.copyTo(digest, at, executable ? 0o755 : 0o644))) gone.push(digest);
    else await apply(at, properties);
  });
  if (gone.length > 0) throw missing(gone);
  for (const { path, target, properties } of symlinks) {
    await symlink(target, join(root, path));
    const seconds = secondsOf(properties.mtime);
    if (seconds !== null) await lutimes(join(root, path), seconds, seconds);
  }
  await checkWorkingDirectory(work.workingDirectory, root);
  for (const path of work.outputDirectories) await makeOutputDirectory(path, root);
  // Last and from the inside out: creating an entry changes the time of its directory, or may be forbidden by its mode.
  for (const { path, properties } of directories.toReversed()) await apply(join(root, path), properties);
}

async function apply(path: string, { mode, mtime }: Properties): Promise<void> {
  if (mode !== null) await chmod(path, mode);
  const seconds = secondsOf(mtime);
  if (seconds !== null) await utimes(path, seconds, seconds);
}

/** Node takes times as floating-point seconds, so that they are exact to about a quarter of a microsecond. */
function secondsOf(nanoseconds: bigint | null): number | null {
  return nanoseconds === null ? null : Number(nanoseconds) / 1e9;
}

async function checkWorkingDirectory(path: string, root: string): Promise<void> {
  const at = join(root, path);
  const found = await stat(at).catch(() => null);
  if (!found?.isDirectory() || !(await isWithin(root, at))) {
    throw invalid("working_directory", `${quote(path)} is not a directory of the input root`);
  }
}

async function makeOutputDirectory(path: string, root: string): Promise<void> {
  let existing = join(root, path);
  while ((await stat(existing).catch(() => null)) === null && existing !== root) existing = dirname(existing);
  if (!(await isWithin(root, existing))) {
    throw invalid("output_paths", `${quote(path)} leads out of the input root through a link`);
  }
  try {
    await mkdir(join(root, path), { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST" && code !== "ENOTDIR" && code !== "ENOENT") throw error;
    throw invalid("output_paths", `a file or a broken link is in the way of the directory ${quote(path)}`);
  }
}
