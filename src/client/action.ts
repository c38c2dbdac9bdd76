/** Actions and Commands in the forms that a client writes. */
import type { Codec, Draft } from "../spec/codec.ts";
import type { Messages } from "../spec/generated/messages.ts";
import { type Blob, blobOf, type Digest } from "./blob.ts";
import type { Path } from "./directories.ts";
import type { Manner } from "./manner.ts";

type Command = Draft<Messages["build.bazel.remote.execution.v2.Command"]>;

/** An output as a build declares it. */
export interface DeclaredOutput {
  /** From the input root. */
  readonly path: Path;
  /** What the command makes; a symlink has the kind of what it leads to. */
  readonly kind: "file" | "directory";
}

/** What is to run, in no form of the API yet. */
export interface ActionSpec {
  /**
   * The program and its arguments. A program that is an input is given as `{ input: PATH }`, by its path from the input root.
   */
  readonly program: string | { readonly input: Path };
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly outputs: readonly DeclaredOutput[];
  readonly platform?: Readonly<Record<string, string>>;
  /** From the input root; the input root itself if it is left out. */
  readonly workingDirectory?: Path;
  readonly timeoutSeconds: number;
}

/** The blobs of an action; its inputs are not among them. */
export interface EncodedAction {
  readonly action: Blob;
  readonly command: Blob;
  /** For each declared output the path by which the result names it. */
  readonly outputPaths: ReadonlyMap<DeclaredOutput, string>;
}

/** Encodes an action as the client writes it, lists sorted and without doubles, as servers want them. */
export function encodeAction(
  spec: ActionSpec,
  inputRootDigest: Digest,
  manner: Manner,
  codec: Codec,
): EncodedAction {
  const { digestFunction } = manner;
  const outputPaths = new Map(
    spec.outputs.map((output) => [output, outputPath(output.path, spec, manner)] as const),
  );
  const listOf = (wanted: (output: DeclaredOutput) => boolean): string[] =>
    [...new Set(spec.outputs.filter(wanted).map((output) => outputPaths.get(output)!))].sort(byBytes);
  const platform = platformOf(spec);
  const command: Command = {
    arguments: [programPath(spec, manner), ...spec.arguments],
    environmentVariables: Object.entries(spec.environment)
      .map(([name, value]) => ({ name, value }))
      .sort((a, b) => byBytes(a.name, b.name)),
    workingDirectory: spec.workingDirectory ?? "",
    ...(manner.outputs !== "paths" && {
      outputFiles: listOf(({ kind }) => kind === "file"),
      outputDirectories: listOf(({ kind }) => kind === "directory"),
    }),
    ...(manner.outputs !== "lists" && { outputPaths: listOf(() => true) }),
    ...(manner.platform !== "action" && { platform }),
    outputNodeProperties: propertiesIn("message", manner),
    outputDirectoryFormat: manner.directoryFormat === null ? 0 : FORMATS[manner.directoryFormat],
  };
  const commandBlob = blobOf(
    codec.encode("build.bazel.remote.execution.v2.Command", command),
    digestFunction,
  );
  const action = codec.encode("build.bazel.remote.execution.v2.Action", {
    commandDigest: commandBlob.digest,
    inputRootDigest,
    timeout: { seconds: BigInt(spec.timeoutSeconds) },
    ...(manner.platform !== "command" && { platform }),
    outputNodeProperties: propertiesIn("list", manner),
  });
  return { action: blobOf(action, digestFunction), command: commandBlob, outputPaths };
}

/** Numbers of Command.OutputDirectoryFormat. */
const FORMATS = { tree: 0, directory: 1, both: 2 } as const;

/** What the list of 2.0 and 2.1 calls properties (D32). */
const LISTED: Readonly<Record<string, string>> = { mtime: "MTime", unix_mode: "UnixMode" };

function propertiesIn(form: "list" | "message", { nodeProperties }: Manner): string[] {
  if (nodeProperties.form !== form) return [];
  const names = nodeProperties.names.map((name) => (form === "list" ? (LISTED[name] ?? name) : name));
  return names.sort(byBytes);
}

function platformOf({ platform = {} }: ActionSpec) {
  const properties = Object.entries(platform).map(([name, value]) => ({ name, value }));
  return properties.length === 0
    ? null
    : { properties: properties.sort((a, b) => byBytes(a.name, b.name) || byBytes(a.value, b.value)) };
}

function programPath({ program, workingDirectory = "" }: ActionSpec, { programsFrom }: Manner): string {
  if (typeof program === "string") return program;
  // A bare name would be looked up in PATH.
  return programsFrom === "input-root" ? program.input : `./${upFrom(workingDirectory)}${program.input}`;
}

function outputPath(path: Path, { workingDirectory = "" }: ActionSpec, { outputsFrom }: Manner): string {
  if (outputsFrom === "input-root" || workingDirectory === "") return path;
  return path.startsWith(`${workingDirectory}/`)
    ? path.slice(workingDirectory.length + 1)
    : `${upFrom(workingDirectory)}${path}`;
}

function upFrom(directory: Path): string {
  return directory === "" ? "" : "../".repeat(directory.split("/").length);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
