/** The outputs a Command declares (D24, D26, D27, D29). */
import { posix } from "node:path";
import type { Messages } from "../../spec/generated/messages.ts";
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
  readonly format: DirectoryFormat;
}

/**
 * Reads the outputs of a Command that a codec of the server's level decoded: `output_paths` if it is set (and the level has it), else the
 * two typed lists.
 * @throws CallError INVALID_ARGUMENT for paths that leave the input root, and for typed lists that name a path twice or a file
 * as the parent of another.
 */
export function readOutputSpec(command: Command, workingDirectory: string): OutputSpec {
  const outputs = (paths: readonly string[], kind: OutputKind, field: string) =>
    paths.map((path) => ({ path, kind, fromRoot: pathInRoot(workingDirectory, path, field) }));
  const any = outputs([...new Set(command.outputPaths)], "any", "output_paths");
  const files = outputs(command.outputFiles, "file", "output_files");
  const directories = outputs(command.outputDirectories, "directory", "output_directories");
  if (any.length === 0) checkTypedLists(files, directories);
  const declared = any.length > 0 ? any : [...files, ...directories];
  const parents = new Set(declared.map(({ fromRoot }) => posix.dirname(fromRoot)));
  parents.delete(".");
  return { declared, parents: [...parents], format: formatOf(command.outputDirectoryFormat) };
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

/** Numbers as in Command.OutputDirectoryFormat (D40); one this server does not know counts as TREE_ONLY. */
function formatOf(number: number): DirectoryFormat {
  return { tree: number !== 1, directories: number === 1 || number === 2 };
}
