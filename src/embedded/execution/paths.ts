/** Names and paths that actions use. Nothing that leads out of the input root gets past this file. */
import { realpath } from "node:fs/promises";
import { posix } from "node:path";
import { invalid } from "./failure.ts";

/** Checks the name of a child of a Directory: one segment of a path. @throws CallError INVALID_ARGUMENT. */
export function checkNodeName(name: string, directory: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw invalid("input_root", `${quote(name)} in the directory ${quote(directory)} is not a file name`);
  }
}

/**
 * The path, from the input root, of a path that starts at `base`. `..` is allowed as long as it stays within the root; "" is the
 * base itself. The result has no `.`, no `..` and no slash at an end.
 * @throws CallError INVALID_ARGUMENT for one that is absolute, ends in a slash or leads out of the root.
 */
export function pathInRoot(base: string, path: string, field: string): string {
  if (path.startsWith("/")) throw invalid(field, `${quote(path)} is absolute; it has to be relative`);
  if (path.endsWith("/")) throw invalid(field, `${quote(path)} ends in a slash`);
  if (path.includes("\0")) throw invalid(field, `${quote(path)} has a zero byte in it`);
  const joined = posix.join(base, path);
  if (joined === ".." || joined.startsWith("../")) {
    throw invalid(field, `${quote(path)} leads out of the input root`);
  }
  return joined === "." ? "" : joined;
}

/** Whether an existing path, links followed, is the root or lies below it. `root` has no links in it. */
export async function isWithin(root: string, path: string): Promise<boolean> {
  const real = await realpath(path);
  return real === root || real.startsWith(`${root}/`);
}

/** A path for a message: quoted, and not longer than a line. */
export function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 197)}...` : path);
}
