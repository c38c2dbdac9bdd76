/** Where a command runs, where its program is and where its outputs are (D27, D39). */
import { knows } from "../../spec/ledger.ts";
import { Status } from "../../wire/status.ts";
import { directory, file, input, type ShapeFacts, tool } from "./shape.ts";

/** The shapes. */
export const PLACE_SHAPES = {
  program: {
    title: "a program among the inputs, in a working directory",
    inputs: { "bin/tool": tool("echo tool > made.txt"), "work/here.txt": input("here\n") },
    spec: { program: { input: "bin/tool" }, workingDirectory: "work" },
    outputs: { "work/made.txt": file("tool\n") },
  },
  "program-at-root": {
    title: "a program among the inputs, by a path from the input root, where it runs",
    inputs: { "bin/tool": tool("echo tool > made.txt") },
    spec: { program: { input: "bin/tool" } },
    outputs: { "made.txt": file("tool\n") },
  },
  "bare-program": {
    title: "a program by its name alone, in PATH since 2.3",
    spec: { program: "sh", arguments: ["-c", "echo made > out.txt"] },
    outputs: { "out.txt": file("made\n") },
    seenBy: ({ level }) =>
      knows(level, "behaviour:argv0") ? {} : { failure: Status.INVALID_ARGUMENT, outputs: {} },
  },
  "working-directory": {
    title: "outputs below and at the top of a working directory that has inputs",
    inputs: { "work/in.txt": input("in\n"), "other/in.txt": input("other\n") },
    script: "mkdir -p out; cat in.txt > made.txt; cat ../other/in.txt > out/other.txt",
    spec: { workingDirectory: "work" },
    outputs: { "work/made.txt": file("in\n"), "work/out": directory({ "other.txt": file("other\n") }) },
  },
  "outside-working-directory": {
    title: "outputs outside of the working directory",
    inputs: { "work/in.txt": input("in\n") },
    script:
      "mkdir -p ../out/dir; cat in.txt > ../out/made.txt; echo a > ../out/dir/a.txt; echo top > ../top.txt",
    spec: { workingDirectory: "work" },
    outputs: {
      "out/dir": directory({ "a.txt": file("a\n") }),
      "out/made.txt": file("in\n"),
      "top.txt": file("top\n"),
    },
  },
  "whole-directory": {
    title: "the working directory itself as output",
    inputs: { "work/in.txt": input("in\n"), "other/in.txt": input("other\n") },
    script: "echo made > made.txt",
    spec: { workingDirectory: "work" },
    outputs: { work: directory({ "in.txt": file("in\n"), "made.txt": file("made\n") }) },
  },
  "among-inputs": {
    title: "outputs in directories that have inputs, which do not come",
    inputs: { "top.txt": input("top\n"), "a/in.txt": input("in\n"), "a/b/in.txt": input("deep\n") },
    script: "cat top.txt a/in.txt > out.txt; cat a/b/in.txt > a/b/out.txt",
    outputs: { "out.txt": file("top\nin\n"), "a/b/out.txt": file("deep\n") },
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
