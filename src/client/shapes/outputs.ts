/** Which outputs there are, and of which type (D24, D26, D28, D29). */
import { knows } from "../../spec/ledger.ts";
import { Status } from "../../wire/status.ts";
import type { DeclaredOutput } from "../action-spec.ts";
import type { Manner } from "../manner.ts";
import type { Expectation } from "../samples.ts";
import { DIRECTORY, directory, file, type ShapeFacts } from "./shape.ts";

/** Fails with 9 and says nothing where the directory of its output is not there. */
const writesBelow = (path: string) => `exec 2>/dev/null; echo made > ${path} || exit 9`;

/** Outputs that are not what the older lists declare them as: left out at first, an error since 2.0, and no matter to output_paths. */
function wrongType(outputs: Expectation["outputs"]) {
  return ({ level, outputs: lists }: Manner): Partial<Expectation> => {
    if (lists !== "lists") return { outputs };
    return knows(level, "behaviour:wrong-type-error")
      ? { failure: Status.FAILED_PRECONDITION, outputs: {} }
      : { outputs: {} };
  };
}

const anOutput = (path: string, kind: DeclaredOutput["kind"]): DeclaredOutput => ({ path, kind });

/** The shapes. */
export const OUTPUT_SHAPES = {
  nothing: { title: "no outputs at all", script: "true" },
  file: {
    title: "one output file",
    script: "echo made > out.txt",
    outputs: { "out.txt": file("made\n") },
  },
  "several-files": {
    title: "several output files, two of the same content, one empty",
    script: "mkdir -p sub; echo a > b.txt; echo a > a.txt; echo c > sub/c.txt; : > empty.txt",
    outputs: {
      "b.txt": file("a\n"),
      "a.txt": file("a\n"),
      "sub/c.txt": file("c\n"),
      "empty.txt": file(""),
    },
  },
  directory: {
    title: "a directory with another inside",
    script: "mkdir -p out/deep; echo a > out/a.txt; echo b > out/deep/b.txt",
    outputs: {
      out: directory({ "a.txt": file("a\n"), deep: DIRECTORY, "deep/b.txt": file("b\n") }),
    },
  },
  "equal-directories": {
    title: "directories of which some are equal",
    script: "for d in out/a out/b out/c/a; do mkdir -p $d; echo same > $d/x.txt; done",
    outputs: {
      out: directory({
        a: DIRECTORY,
        "a/x.txt": file("same\n"),
        b: DIRECTORY,
        "b/x.txt": file("same\n"),
        c: DIRECTORY,
        "c/a": DIRECTORY,
        "c/a/x.txt": file("same\n"),
      }),
    },
  },
  "empty-directory": {
    title: "an output directory with nothing in it",
    script: "mkdir -p out",
    outputs: { out: directory() },
  },
  "nested-directories": {
    title: "an output directory within another",
    script: "mkdir -p out/deep; echo a > out/a.txt; echo b > out/deep/b.txt",
    outputs: {
      out: directory({ "a.txt": file("a\n"), deep: DIRECTORY, "deep/b.txt": file("b\n") }),
      "out/deep": directory({ "b.txt": file("b\n") }),
    },
  },
  "file-in-directory": {
    title: "an output file within an output directory",
    script: "mkdir -p out/deep; echo a > out/a.txt; echo b > out/deep/b.txt",
    outputs: {
      out: directory({ "a.txt": file("a\n"), deep: DIRECTORY, "deep/b.txt": file("b\n") }),
      "out/deep/b.txt": file("b\n"),
    },
  },
  executable: {
    title: "outputs of which some are executable",
    script: "mkdir -p out; for f in tool out/tool; do echo run > $f; chmod +x $f; done; echo no > out/text",
    outputs: {
      tool: file("run\n", true),
      out: directory({ tool: file("run\n", true), text: file("no\n") }),
    },
  },
  "missing-output": {
    title: "an output that is declared and not made",
    script: "echo made > out.txt",
    outputs: { "out.txt": file("made\n") },
    alsoDeclares: [anOutput("never.txt", "file"), anOutput("never", "directory")],
  },
  "directory-for-file": {
    title: "a directory where a file was declared",
    script: "mkdir -p out; echo a > out/a.txt",
    alsoDeclares: [anOutput("out", "file")],
    seenBy: wrongType({ out: directory({ "a.txt": file("a\n") }) }),
  },
  "file-for-directory": {
    title: "a file where a directory was declared",
    script: "rm -rf out; echo made > out",
    alsoDeclares: [anOutput("out", "directory")],
    seenBy: wrongType({ out: file("made\n") }),
  },
  "unmade-parents": {
    title: "an output in directories that neither the inputs nor the command make",
    script: writesBelow("a/b/out.txt"),
    outputs: { "a/b/out.txt": file("made\n") },
    seenBy: ({ level }) => (knows(level, "behaviour:output-parents") ? {} : { exitCode: 9, outputs: {} }),
  },
  "unmade-directory": {
    title: "an output directory that the command expects to be there, which no level promises",
    script: writesBelow("out/a.txt"),
    alsoDeclares: [anOutput("out", "directory")],
    exitCode: 9,
    cacheable: false,
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
