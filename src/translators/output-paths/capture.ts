/**
 * Parent capture (D24): outputs of which nobody knows whether they will be files or directories, declared to a server that wants to know. It
 * captures the directories around them, whatever is in there; what was asked for is cut out of those afterwards (`uncapture.ts`).
 */
import { posix } from "node:path";
import { quoted } from "../action-messages.ts";
import type { Wanted } from "../cut-outputs.ts";
import { ancestorsOf, baseOf, declaredBy, parentOf } from "../declared-outputs.ts";
import { fromInputRoot, fromWorkingDirectory } from "../input-root-paths.ts";
import type { Pair } from "../translator.ts";
import { pathsRefusal } from "./feature.ts";

/** A directory that is captured. */
export interface Capture {
  /** As output_directories names it; "" is the directory that paths of outputs start at. */
  readonly path: string;
  /** A file in it that no command makes: declaring it has a worker create the directory, which it does not for an output directory itself (D28). */
  readonly sentinel: string;
  /** What of it was asked for. */
  readonly wanted: readonly Wanted[];
}

/** More directories than this are not captured for one action: each is a Tree to be read. */
const MOST_CAPTURES = 1_000;

const SENTINEL = ".reapi-bridge-never-created";

/** What has to be captured for the `output_paths` of a Command; null for one that has none, or the older lists as well. */
export type Captures = { readonly captures: readonly Capture[] } | { readonly refused: string } | null;

/** What is captured for a Command: the same for the same lists, so that what was declared is known again when the result comes. */
export function capturesFor(command: Buffer, pair: Pair): Captures {
  const { files, directories, paths } = declaredBy(command);
  if (paths.size === 0 || files.size > 0 || directories.size > 0) return null;
  const base = baseOf(command, pair);
  const outputs = new Map<string, string>();
  for (const path of paths) {
    const at = fromInputRoot(base, path);
    if (at === null)
      return { refused: `Command.output_paths with ${quoted(path)}, which leads out of the input root` };
    outputs.set(path, at);
  }
  const root = fromInputRoot("", base) ?? "";
  const around = (at: string): string =>
    // What is the working directory, or around it, is captured itself.
    at === root || isAbove(at, root) ? at : parentOf(at);
  const captured = outermost(new Set([...outputs.values()].map(around)));
  if (captured.size > MOST_CAPTURES)
    return { refused: `Command.output_paths in ${captured.size} directories, more than ${MOST_CAPTURES}` };
  const wanted = new Map([...captured].map((directory): [string, Wanted[]] => [directory, []]));
  for (const [path, at] of outputs) {
    const directory = [...ancestorsOf(at), at].find((ancestor) => captured.has(ancestor))!;
    wanted.get(directory)!.push({ path, below: fromWorkingDirectory(directory, at) });
  }
  const taken = new Set(outputs.values());
  return {
    captures: [...wanted].map(([directory, below]) => ({
      path: fromWorkingDirectory(root, directory),
      sentinel: fromWorkingDirectory(root, freeName(directory, taken)),
      wanted: below,
    })),
  };
}

/** What has a server capture directories: the typed lists, and directories of the input root that have to be made for it. */
export interface Capturing {
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly needed: readonly string[];
}

/**
 * What captures the `output_paths` of a Command; null if it has none, or the older lists as well. The directories have to be there when the command runs: a
 * server may make them itself, as its profile says; else a file that is declared in each has them made, or they are made where the server takes no outputs
 * within others.
 * @throws BridgeError for paths that cannot be had in this way.
 */
export function capturing(command: Buffer, pair: Pair): Capturing | null {
  const found = capturesFor(command, pair);
  if (found === null) return null;
  if ("refused" in found) throw pathsRefusal(found.refused, pair);
  const { captures } = found;
  const { facts, features } = pair.server;
  const directories = captures.map(({ path }) => path);
  if (facts.outputDirectories?.made === true) return { files: [], directories, needed: [] };
  if (features["output-nesting"]?.reads.includes("allowed") !== false)
    return { files: captures.map(({ sentinel }) => sentinel), directories, needed: [] };
  const base = baseOf(command, pair);
  const needed = directories.map((path) => fromInputRoot(base, path) ?? "").filter((path) => path !== "");
  return { files: [], directories, needed };
}

/**
 * A path that a server may be asked to inline in place of this one (D44): of the files that it knows of, the one that is never there. To have contents in the
 * result is a wish that it may leave unfulfilled; the name of a file that was not declared may be an error.
 */
export function capturedName(path: string, command: Buffer, pair: Pair): string {
  const found = capturesFor(command, pair);
  if (found === null || "refused" in found) return path;
  const capture = found.captures.find(({ wanted }) => wanted.some((output) => output.path === path));
  return capture?.sentinel ?? path;
}

/** Directories without those that lie in others of them. */
function outermost(directories: ReadonlySet<string>): Set<string> {
  const isInside = (path: string) => [...ancestorsOf(path)].some((ancestor) => directories.has(ancestor));
  return new Set([...directories].filter((path) => !isInside(path)));
}

function isAbove(path: string, other: string): boolean {
  return [...ancestorsOf(other)].includes(path);
}

function freeName(directory: string, taken: ReadonlySet<string>): string {
  let name = posix.join(directory, SENTINEL);
  while (taken.has(name)) name += "_";
  return name;
}
