/** Stores the declared outputs of an action and lists them as an ActionResult does (D24, D25, D26). */
import type { BigIntStats } from "node:fs";
import { lstat, readlink, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Draft } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { Status } from "../../wire/status.ts";
import type { OutputRules } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import { writeProperties } from "./node-properties.ts";
import { checkOutputLink, notAnOutput, type OutputSink } from "./output-sink.ts";
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
 * Stores every declared output that exists below `root`. Links are listed as links, in the lists that the server fills, unless it follows
 * them.
 * @throws CallError as the server has it for outputs of the wrong kind; FAILED_PRECONDITION for those of no kind that can be stored, or
 * outside the root.
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
    if (stats.isSymbolicLink()) await addLink(lists, output, at, { stats, format: spec.format, sink });
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
  if (isLeftOut(path, kind, found, sink)) return;
  if (found === "file") {
    const digest = digestMessage(await sink.store.putFile(at, sink.digestFunction));
    const isExecutable = (stats.mode & 0o100n) !== 0n;
    lists.outputFiles.push({
      path,
      digest,
      isExecutable,
      ...writeProperties(stats, sink.properties, sink.behaviour.level),
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

/** A link, and how outputs are stored. */
interface FoundLink {
  readonly stats: BigIntStats;
  readonly format: DirectoryFormat;
  readonly sink: OutputSink;
}

async function addLink(
  lists: OutputLists,
  output: DeclaredOutput,
  at: string,
  { stats, format, sink }: FoundLink,
): Promise<void> {
  const { path, kind } = output;
  const { level, outputs } = sink.behaviour;
  // A link that leads nowhere has no kind of its own and takes the one it was declared with.
  const target = await stat(at, { bigint: true }).catch(() => null);
  if (target === null && outputs.dangling === "dropped") return;
  if (target === null && outputs.dangling === "failed") throw dangling(path);
  if (target !== null && outputs.links === "followed") return add(lists, output, at, target, format, sink);
  const found = target === null ? null : kindOf(target);
  if (found !== null && isLeftOut(path, kind, found, sink)) return;
  const to = await readlink(at);
  checkOutputLink(path, to, sink);
  const link = { path, target: to, ...writeProperties(stats, sink.properties, level) };
  list(lists, link, kind === "any" ? found : kind, kind, outputs);
}

/** Lists a link. Its kind is the one that was declared, or else what it leads to; one that leads nowhere counts as a file. */
function list(
  lists: OutputLists,
  link: Link,
  kind: Exclude<OutputKind, "any"> | null,
  declared: OutputKind,
  { symlinkLists }: OutputRules,
): void {
  const asDeclared = symlinkLists === "as-declared";
  const unified = asDeclared ? declared === "any" : symlinkLists !== "typed";
  const typed = asDeclared ? declared !== "any" : symlinkLists !== "unified";
  if (unified) lists.outputSymlinks.push(link);
  if (!typed) return;
  if (kind === "directory") lists.outputDirectorySymlinks.push(link);
  else lists.outputFileSymlinks.push(link);
}

/** Whether an output is not listed because it is not what it was declared as. @throws CallError where that is an error. */
function isLeftOut(
  path: string,
  declared: OutputKind,
  found: Exclude<OutputKind, "any">,
  { behaviour }: OutputSink,
): boolean {
  const { wrongType } = behaviour.outputs;
  if (declared === "any" || declared === found || wrongType === "accepted") return false;
  if (wrongType === "omitted") return true;
  const message = `the output ${quote(path)} was declared as a ${declared} but is a ${found}`;
  throw new CallError(wrongType, message);
}

function kindOf(stats: BigIntStats): Exclude<OutputKind, "any"> | null {
  if (stats.isFile()) return "file";
  return stats.isDirectory() ? "directory" : null;
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ELOOP") return null;
  throw error;
}

function dangling(path: string): CallError {
  const message = `the output ${quote(path)} is a link that leads nowhere`;
  return new CallError(Status.FAILED_PRECONDITION, message);
}

function outside(path: string): CallError {
  const message = `the output ${quote(path)} lies outside the input root: a link leads there`;
  return new CallError(Status.FAILED_PRECONDITION, message);
}
