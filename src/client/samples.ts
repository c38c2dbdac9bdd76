/** Small actions, each of a shape in which peers differ, and what has to come of them. */
import type { ActionSpec, DeclaredOutput } from "./action.ts";
import type { Path } from "./directories.ts";

/** What an output has to be: a file by its content, a symlink by its target, a directory by the sorted paths below it. */
export type Expected =
  | { readonly kind: "file"; readonly content: string }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory"; readonly paths: readonly Path[] };

/** One small action. */
export interface Sample {
  /** In a few words, for people. */
  readonly title: string;
  readonly spec: ActionSpec;
  readonly inputs: Readonly<Record<Path, { readonly content: string; readonly executable: boolean }>>;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** By path from the input root. */
  readonly expected: Readonly<Record<Path, Expected>>;
}

/** Names of the samples. */
export type Shape = keyof typeof SHAPES;

/** What a sample may be made with. */
export interface SampleOptions {
  /** Makes it another action than the last one of this shape, so that no cache knows it. */
  readonly salt?: string;
  /** Platform properties that the action asks for; those of the shape by default. */
  readonly platform?: Readonly<Record<string, string>>;
  /** The PATH that the command sees; it needs `mkdir` and `ln`. */
  readonly searchPath?: string;
}

/** A sample of the shape. */
export function sampleOf(shape: Shape, options: SampleOptions = {}): Sample {
  const { salt = "", searchPath = "/usr/bin:/bin" } = options;
  const { title, script = "", outputs = {}, ...rest }: ShapeFacts = SHAPES[shape];
  const { exitCode = 0, stdout = "", stderr = "", inputs = {}, program, workingDirectory } = rest;
  const platform = options.platform ?? rest.platform;
  const declared = Object.entries(outputs).map(
    ([path, { links, ...output }]): DeclaredOutput => ({
      path,
      kind: links ?? (output.kind === "directory" ? "directory" : "file"),
    }),
  );
  return {
    title,
    spec: {
      program: program ?? "/bin/sh",
      arguments: program === undefined ? ["-c", `set -e; ${script}`] : [],
      environment: { PATH: searchPath, ...(salt !== "" && { SALT: salt }) },
      outputs: declared,
      ...(platform && { platform }),
      ...(workingDirectory !== undefined && { workingDirectory }),
      timeoutSeconds: 10,
    },
    inputs,
    exitCode,
    stdout,
    stderr,
    expected: Object.fromEntries(
      Object.entries(outputs).map(([path, { links: _, ...output }]) => [path, output]),
    ),
  };
}

interface ShapeFacts {
  readonly title: string;
  readonly script?: string;
  /** `links` is the kind of what a symlink leads to, as the older lists want to know. */
  readonly outputs?: Readonly<Record<Path, Expected & { readonly links?: DeclaredOutput["kind"] }>>;
  readonly inputs?: Sample["inputs"];
  readonly program?: { readonly input: Path };
  readonly workingDirectory?: Path;
  readonly platform?: Readonly<Record<string, string>>;
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** Every shape. */
export const SHAPES = {
  file: {
    title: "one output file",
    script: "echo made > out.txt",
    outputs: { "out.txt": { kind: "file", content: "made\n" } },
  },
  directory: {
    title: "a directory with another inside",
    script: "mkdir -p out/deep; echo a > out/a.txt; echo b > out/deep/b.txt",
    outputs: { out: { kind: "directory", paths: ["a.txt", "deep", "deep/b.txt"] } },
  },
  "link-to-file": {
    title: "a symlink to a file",
    script: "echo real > real.txt; ln -s real.txt link.txt",
    outputs: {
      "link.txt": { kind: "symlink", target: "real.txt", links: "file" },
      "real.txt": { kind: "file", content: "real\n" },
    },
  },
  "link-to-directory": {
    title: "a symlink to a directory",
    script: "mkdir real; echo in > real/in.txt; ln -s real link",
    outputs: {
      link: { kind: "symlink", target: "real", links: "directory" },
      real: { kind: "directory", paths: ["in.txt"] },
    },
  },
  "dangling-link": {
    title: "a symlink that leads nowhere",
    script: "ln -s nowhere link",
    outputs: { link: { kind: "symlink", target: "nowhere", links: "file" } },
  },
  failure: {
    title: "an action that fails",
    script: "echo oops >&2; exit 3",
    exitCode: 3,
    stderr: "oops\n",
  },
  stdout: { title: "an action that only prints", script: "echo hello", stdout: "hello\n" },
  platform: {
    title: "an action for one platform",
    script: "echo made > out.txt",
    outputs: { "out.txt": { kind: "file", content: "made\n" } },
    platform: { OSFamily: process.platform === "darwin" ? "macos" : process.platform },
  },
  program: {
    title: "a program among the inputs, in a working directory",
    program: { input: "bin/tool" },
    workingDirectory: "work",
    inputs: {
      "bin/tool": { content: "#!/bin/sh\necho tool > made.txt\n", executable: true },
      "work/here.txt": { content: "here\n", executable: false },
    },
    outputs: { "work/made.txt": { kind: "file", content: "tool\n" } },
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
