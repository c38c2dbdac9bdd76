/** Actions and Commands in the forms that a client writes. */
import type { Codec, Draft } from "../spec/codec.ts";
import type { Messages } from "../spec/generated/messages.ts";
import type { ActionSpec, DeclaredOutput, Platform } from "./action-spec.ts";
import { propertyNames } from "./attributes.ts";
import { type Blob, blobOf, type Digest } from "./blob.ts";
import type { Path } from "./directories.ts";
import type { Manner } from "./manner.ts";

type Command = Draft<Messages["build.bazel.remote.execution.v2.Command"]>;

/** The blobs of an action; its inputs are not among them. */
export interface EncodedAction {
  readonly action: Blob;
  readonly command: Blob;
  /** For each declared output the path by which the result names it. */
  readonly outputPaths: ReadonlyMap<DeclaredOutput, string>;
}

/** Encodes an action as the client writes it: lists sorted and without doubles, as servers want them, unless they are to be as given. */
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
  const listOf = (wanted: (output: DeclaredOutput) => boolean): string[] => {
    const paths = spec.outputs.filter(wanted).map((output) => outputPaths.get(output)!);
    return spec.asGiven ? paths : [...new Set(paths)].sort(byBytes);
  };
  const platforms = platformsOf(spec, manner);
  const command: Command = {
    arguments: [programPath(spec, manner), ...spec.arguments],
    environmentVariables: environmentOf(spec),
    workingDirectory: spec.workingDirectory ?? "",
    ...(manner.outputs !== "paths" && {
      outputFiles: listOf(({ kind }) => kind === "file"),
      outputDirectories: listOf(({ kind }) => kind === "directory"),
    }),
    ...(manner.outputs !== "lists" && { outputPaths: listOf(() => true) }),
    platform: platforms.command,
    outputNodeProperties: propertiesIn("command", spec, manner),
    outputDirectoryFormat: manner.directoryFormat === null ? 0 : FORMATS[manner.directoryFormat],
  };
  const commandBlob = blobOf(
    codec.encode("build.bazel.remote.execution.v2.Command", command),
    digestFunction,
  );
  const action = codec.encode("build.bazel.remote.execution.v2.Action", {
    commandDigest: commandBlob.digest,
    inputRootDigest,
    timeout: durationOf(spec.timeoutSeconds),
    doNotCache: spec.doNotCache ?? false,
    salt: Buffer.from(spec.salt ?? ""),
    platform: platforms.action,
    outputNodeProperties: propertiesIn("action", spec, manner),
  });
  return { action: blobOf(action, digestFunction), command: commandBlob, outputPaths };
}

/** Numbers of Command.OutputDirectoryFormat. */
const FORMATS = { tree: 0, directory: 1, both: 2 } as const;

function environmentOf({ environment, asGiven }: ActionSpec) {
  const variables = Object.entries(environment).map(([name, value]) => ({ name, value }));
  return asGiven ? variables : variables.sort((a, b) => byBytes(a.name, b.name));
}

/** The request for properties of outputs stands in one message or the other, by the form. */
function propertiesIn(
  place: "action" | "command",
  { outputProperties = [] }: ActionSpec,
  { nodeProperties: { form, names } }: Manner,
): string[] {
  if ((form === "list") !== (place === "action")) return [];
  return propertyNames([...new Set([...names, ...outputProperties])], form).sort(byBytes);
}

function platformsOf({ platform, platforms }: ActionSpec, { platform: place }: Manner) {
  if (platforms !== undefined) {
    return { command: platformMessage(platforms.command), action: platformMessage(platforms.action) };
  }
  return {
    command: place === "action" ? null : platformMessage(platform),
    action: place === "command" ? null : platformMessage(platform),
  };
}

function platformMessage(platform: Platform = {}) {
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
  if (path === workingDirectory) return "";
  return path.startsWith(`${workingDirectory}/`)
    ? path.slice(workingDirectory.length + 1)
    : `${upFrom(workingDirectory)}${path}`;
}

function upFrom(directory: Path): string {
  return directory === "" ? "" : "../".repeat(directory.split("/").length);
}

function durationOf(seconds: number) {
  const whole = Math.floor(seconds);
  return { seconds: BigInt(whole), nanos: Math.round((seconds - whole) * 1000) * 1e6 };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
