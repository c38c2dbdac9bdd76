/** Directories that one action has for itself. */
import { chmod, mkdtemp, opendir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";

/** Makes an empty directory below `parent` and returns its path, which has no links in it. */
export async function makeScratch(parent: string): Promise<string> {
  return mkdtemp(join(await realpath(parent), "action-"));
}

/** Removes a directory with all it holds, also what the command made unwritable. */
export async function removeScratch(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for await (const entry of await opendir(directory)) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}
