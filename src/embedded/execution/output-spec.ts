/** The outputs a Command declares (D24, D26, D27, D29). */
import { posix } from "node:path";
import type { Messages } from "../../spec/generated/messages.ts";
import { preconditionFailureDetail } from "../../wire/error-details.ts";
import { Status } from "../../wire/status.ts";
import type { ActionRules, Behaviour, OutputRules } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import { invalid } from "./failure.ts";
import { pathInRoot, quote } from "./paths.ts";

type Command = Messages["build.bazel.remote.execution.v2.Command"];

/** What a declared output has to be: the old lists say it, output_paths leaves it open. */
export type OutputKind = "file" | "directory" | "any";

/** One declared output. */
export interface DeclaredOutput {
  /** As the Command spells it; the result repeats it. */
  readonly path: string;
  /** From the input root, without `.` and `..`. */
  readonly fromRoot: string;
  readonly kind: OutputKind;
}

/** The forms in which output directories are stored. */
export interface DirectoryFormat {
  readonly tree: boolean;
  readonly directories: boolean;
}

/** All a Command says of its outputs. */
export interface OutputSpec {
  readonly declared: readonly DeclaredOutput[];
  /** The directories that lead to the outputs, from the input root, each once. */
  readonly parents: readonly string[];
  /** The output directories that are declared as such, from the input root. */
  readonly directories: readonly string[];
  readonly format: DirectoryFormat;
}

/**
 * Reads the outputs of a Command of which nothing is left but what the server looks at: `output_paths` if it is set, else the two typed
 * lists, or each of them. Their paths start at `base`.
 * @throws CallError INVALID_ARGUMENT for paths that leave the input root, and for typed lists that name a path twice or a file
 * as the parent of another; FAILED_PRECONDITION for an output within an output directory, where the server takes none.
 */
export function readOutputSpec(
  command: Command,
  base: string,
  { actions, outputs: rules }: Pick<Behaviour, "actions" | "outputs">,
): OutputSpec {
  const outputs = (paths: readonly string[], kind: OutputKind, field: string) =>
    paths.map((path) => ({ path, kind, fromRoot: pathInRoot(base, path, field) }));
  const any = outputs([...new Set(command.outputPaths)], "any", "output_paths");
  const files = outputs(command.outputFiles, "file", "output_files");
  const directories = outputs(command.outputDirectories, "directory", "output_directories");
  const isTyped = any.length === 0 || actions.readsEachList;
  if (isTyped && rules.refusesNesting) checkNesting([...files, ...directories], directories);
  const declared = [...any, ...(isTyped ? ofTypedLists(files, directories, actions) : [])];
  const parents = new Set(declared.map(({ fromRoot }) => posix.dirname(fromRoot)));
  parents.delete(".");
  const named = declared.filter(({ kind }) => kind === "directory").map(({ fromRoot }) => fromRoot);
  return {
    declared,
    parents: [...parents],
    directories: named.filter((path) => path !== ""),
    format: formatOf(command.outputDirectoryFormat, rules),
  };
}

function ofTypedLists(
  files: readonly DeclaredOutput[],
  directories: readonly DeclaredOutput[],
  { takesBothLists }: ActionRules,
): DeclaredOutput[] {
  if (!takesBothLists) {
    checkTypedLists(files, directories);
    return [...files, ...directories];
  }
  const inFiles = new Set(files.map(({ path }) => path));
  const inDirectories = new Set(directories.map(({ path }) => path));
  return [
    ...files.map((output) => (inDirectories.has(output.path) ? { ...output, kind: "any" as const } : output)),
    ...directories.filter(({ path }) => !inFiles.has(path)),
  ];
}

function checkTypedLists(files: readonly DeclaredOutput[], directories: readonly DeclaredOutput[]): void {
  const seen = new Set<string>();
  for (const { fromRoot, path, kind } of [...files, ...directories]) {
    const field = kind === "file" ? "output_files" : "output_directories";
    if (kind === "file" && fromRoot === "") throw invalid(field, `${quote(path)} is a directory, not a file`);
    if (seen.has(fromRoot)) throw invalid(field, `${quote(path)} is declared twice`);
    seen.add(fromRoot);
  }
  const filePaths = new Set(files.map(({ fromRoot }) => fromRoot));
  for (const { fromRoot, path } of files) {
    for (let at = posix.dirname(fromRoot); at !== "."; at = posix.dirname(at)) {
      if (filePaths.has(at)) throw invalid("output_files", `${quote(path)} lies below another output file`);
    }
  }
}

/** Up to 2018-10 no output lay within another, and some servers never gave that up (D29). */
function checkNesting(outputs: readonly DeclaredOutput[], directories: readonly DeclaredOutput[]): void {
  const outer = new Set(directories.map(({ fromRoot }) => fromRoot));
  for (const { fromRoot, path } of outputs) {
    let at = fromRoot;
    while (at !== "") {
      at = at.includes("/") ? posix.dirname(at) : "";
      if (!outer.has(at)) continue;
      const description = `${quote(path)} lies within the output directory ${quote(at)}, which this server does not take`;
      throw new CallError(Status.FAILED_PRECONDITION, description, [
        preconditionFailureDetail([{ type: "INVALID", subject: at, description }]),
      ]);
    }
  }
}

/**
 * For servers that want the lists of a Command, the environment among them, sorted and free of doubles.
 * @throws CallError FAILED_PRECONDITION with a violation that names the list.
 */
export function checkSorted(command: Command): void {
  const lists = {
    environment_variables: command.environmentVariables.map(({ name }) => name),
    output_files: command.outputFiles,
    output_directories: command.outputDirectories,
  };
  for (const [field, items] of Object.entries(lists)) {
    const at = items.findIndex(
      (item, i) => i > 0 && Buffer.compare(bytesOf(items[i - 1]!), bytesOf(item)) >= 0,
    );
    if (at < 0) continue;
    const description = `${quote(items[at]!)} follows ${quote(items[at - 1]!)}; the list must be sorted, without doubles`;
    throw new CallError(Status.FAILED_PRECONDITION, `${field}: ${description}`, [
      preconditionFailureDetail([{ type: "INVALID", subject: field, description }]),
    ]);
  }
}

const bytesOf = (text: string): Buffer => Buffer.from(text);

/** Numbers as in Command.OutputDirectoryFormat (D40); one this server does not know counts as TREE_ONLY. */
function formatOf(number: number, { directories }: OutputRules): DirectoryFormat {
  const asked = number === 1 || number === 2;
  if (directories === "as-asked") return { tree: number !== 1, directories: asked };
  if (directories === "directory") return { tree: false, directories: true };
  return { tree: true, directories: directories === "tree-and-asked" && asked };
}
