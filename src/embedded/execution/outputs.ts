/** Stores the declared outputs of an action and lists them as an ActionResult does (D24, D25, D26). */
import type { BigIntStats } from "node:fs";
import { lstat, readlink, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Draft } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { knows } from "../../spec/ledger.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import { writeProperties } from "./node-properties.ts";
import { notAnOutput, type OutputSink } from "./output-sink.ts";
import type { DeclaredOutput, DirectoryFormat, OutputKind, OutputSpec } from "./output-spec.ts";
import { storeDirectory } from "./output-tree.ts";
import { isWithin, quote } from "./paths.ts";

type Message<Name extends keyof Messages> = Draft<Messages[Name]>;
type Link = Message<"build.bazel.remote.execution.v2.OutputSymlink">;

/** The lists of outputs in an ActionResult. */
export interface OutputLists {
  readonly outputFiles: Message<"build.bazel.remote.execution.v2.OutputFile">[];
  readonly outputDirectories: Message<"build.bazel.remote.execution.v2.OutputDirectory">[];
  readonly outputSymlinks: Link[];
  readonly outputFileSymlinks: Link[];
  readonly outputDirectorySymlinks: Link[];
}

/**
 * Stores every declared output that exists below `root`. Links are listed as links: under output_symlinks if output_paths declared them,
 * else with the kind the old lists gave them. An output of the wrong kind is left out at 2018-11, and since 2.0 an error.
 * @throws CallError FAILED_PRECONDITION for outputs of the wrong kind, of no kind that can be stored, or outside the root.
 */
export async function collectOutputs(spec: OutputSpec, root: string, sink: OutputSink): Promise<OutputLists> {
  const lists: OutputLists = {
    outputFiles: [],
    outputDirectories: [],
    outputSymlinks: [],
    outputFileSymlinks: [],
    outputDirectorySymlinks: [],
  };
  for (const output of spec.declared) {
    const at = join(root, output.fromRoot);
    const stats = await lstat(at, { bigint: true }).catch(absent);
    if (stats === null) continue;
    if (at !== root && !(await isWithin(root, dirname(at)))) throw outside(output.path);
    if (stats.isSymbolicLink()) await addLink(lists, output, at, stats, sink);
    else await add(lists, output, at, stats, spec.format, sink);
  }
  return lists;
}

async function add(
  lists: OutputLists,
  { path, kind }: DeclaredOutput,
  at: string,
  stats: BigIntStats,
  format: DirectoryFormat,
  sink: OutputSink,
): Promise<void> {
  const found = kindOf(stats);
  if (found === null) throw notAnOutput(path);
  if (kind !== "any" && kind !== found) {
    if (knows(sink.level, "behaviour:wrong-type-error")) throw wrongKind(path, kind, found);
    return;
  }
  if (found === "file") {
    const digest = digestMessage(await sink.store.putFile(at, sink.digestFunction));
    const isExecutable = (stats.mode & 0o100n) !== 0n;
    lists.outputFiles.push({
      path,
      digest,
      isExecutable,
      ...writeProperties(stats, sink.properties, sink.level),
    });
    return;
  }
  const stored = await storeDirectory(at, format, sink);
  lists.outputDirectories.push({
    path,
    ...(stored.tree && { treeDigest: digestMessage(stored.tree), isTopologicallySorted: true }),
    ...(stored.root && { rootDirectoryDigest: digestMessage(stored.root) }),
  });
}

async function addLink(
  lists: OutputLists,
  { path, kind }: DeclaredOutput,
  at: string,
  stats: BigIntStats,
  sink: OutputSink,
): Promise<void> {
  // A link that leads nowhere has no kind of its own and takes the one it was declared with.
  const target = await stat(at, { bigint: true }).catch(() => null);
  const found = target === null ? null : kindOf(target);
  if (kind !== "any" && found !== null && kind !== found) {
    if (knows(sink.level, "behaviour:wrong-type-error")) throw wrongKind(path, kind, found);
    return;
  }
  const link = { path, target: await readlink(at), ...writeProperties(stats, sink.properties, sink.level) };
  if (kind === "any") lists.outputSymlinks.push(link);
  else if (kind === "file") lists.outputFileSymlinks.push(link);
  else lists.outputDirectorySymlinks.push(link);
}

function kindOf(stats: BigIntStats): Exclude<OutputKind, "any"> | null {
  if (stats.isFile()) return "file";
  return stats.isDirectory() ? "directory" : null;
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ELOOP") return null;
  throw error;
}

function wrongKind(path: string, declared: string, found: string): CallError {
  const message = `the output ${quote(path)} was declared as a ${declared} but is a ${found}`;
  return new CallError(Status.FAILED_PRECONDITION, message);
}

function outside(path: string): CallError {
  const message = `the output ${quote(path)} lies outside the input root: a link leads there`;
  return new CallError(Status.FAILED_PRECONDITION, message);
}
