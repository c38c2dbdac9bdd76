/** Paths below the input root, and what they are from a working directory in it (D27, D39). */
import { posix } from "node:path";

/**
 * The path from the input root of a path that starts at `base`, which is one itself: without `.`, `..` and slashes at an end, empty for the input root. Null
 * for one that is absolute or leads out of the input root.
 */
export function fromInputRoot(base: string, path: string): string | null {
  if (path.startsWith("/") || base.startsWith("/")) return null;
  const joined = posix.join(base, path).replace(/\/+$/, "");
  if (joined === ".." || joined.startsWith("../")) return null;
  return joined === "." ? "" : joined;
}

/** The same place from a working directory, both given from the input root and normalised; empty for the working directory itself. */
export function fromWorkingDirectory(workingDirectory: string, path: string): string {
  return posix.relative(`/${workingDirectory}`, `/${path}`);
}
