/** A build tool in miniature: turns targets into actions, and runs those that the server has no result for. */
import { codec } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { type Blob, blobOf, type Digest } from "./blob.ts";
import { BuildError } from "./build-error.ts";
import { flatten, inputTree, type RemoteFile } from "./files.ts";
import type { Path, Target } from "./phrase-book.ts";
import type { RemoteClient } from "./remote-client.ts";

type ActionResult = Messages["build.bazel.remote.execution.v2.ActionResult"];

/** What became of one target. */
export interface BuiltTarget {
  readonly target: Target;
  /** Whether the server knew the result already. */
  readonly cached: boolean;
  readonly milliseconds: number;
  /** What it made, with paths from the root of the build. */
  readonly files: ReadonlyMap<Path, RemoteFile>;
}

/** What all targets are built with. */
export interface BuildPlan {
  readonly sources: Readonly<Record<Path, string>>;
  /** Each after those it depends on. */
  readonly targets: readonly Target[];
  /** The PATH that scripts see. */
  readonly searchPath: string;
}

/**
 * Builds all targets, at the same time as far as they do not need each other. Outputs stay on the server; only their digests come back.
 * @throws BuildError if a script fails or does not make its output, and as the client does.
 */
export async function build(
  plan: BuildPlan,
  client: RemoteClient,
  signal: AbortSignal,
): Promise<BuiltTarget[]> {
  const sources = new Map(Object.entries(plan.sources).map(([path, content]) => [path, blobOf(content)]));
  const built = new Map<Path, Promise<BuiltTarget>>();
  for (const target of plan.targets) {
    const dependencies = target.inputs.flatMap((path) => built.get(path) ?? []);
    built.set(target.output, buildTarget(target, dependencies));
  }
  return Promise.all(built.values());

  async function buildTarget(
    target: Target,
    dependencies: readonly Promise<BuiltTarget>[],
  ): Promise<BuiltTarget> {
    const files = new Map((await Promise.all(dependencies)).flatMap((dependency) => [...dependency.files]));
    signal.throwIfAborted();
    const start = performance.now();
    const blobs = target.inputs.flatMap((path) => sources.get(path) ?? []);
    for (const path of target.inputs) {
      const source = sources.get(path);
      if (source !== undefined) files.set(path, { digest: source.digest, executable: false });
    }
    const tree = inputTree(files);
    const { action, command } = actionFor(target, tree.root, plan.searchPath);
    const known = await client.cachedResult(action.digest);
    if (known === null) await client.upload([...blobs, ...tree.directories, command, action]);
    const result = known ?? (await client.execute(action.digest));
    await checkExit(target, result, client);
    const made = await filesOf(target, result, client);
    return { target, cached: known !== null, milliseconds: performance.now() - start, files: made };
  }
}

function actionFor(
  target: Target,
  inputRootDigest: Digest,
  searchPath: string,
): { action: Blob; command: Blob } {
  const command = blobOf(
    codec().encode("build.bazel.remote.execution.v2.Command", {
      arguments: ["/bin/sh", "-c", `set -e; ${target.script}`],
      environmentVariables: [{ name: "PATH", value: searchPath }],
      outputPaths: [target.output],
    }),
  );
  const commandDigest = command.digest;
  const timeout = { seconds: 10n };
  const message = { commandDigest, inputRootDigest, timeout };
  return { action: blobOf(codec().encode("build.bazel.remote.execution.v2.Action", message)), command };
}

async function checkExit(target: Target, result: ActionResult, client: RemoteClient): Promise<void> {
  if (result.exitCode === 0) return;
  const [printed] = result.stderrDigest === null ? [] : await client.read([result.stderrDigest]);
  throw new BuildError(`${target.name} ended with exit code ${result.exitCode}: ${printed ?? ""}`);
}

/** The file a target made, or all files of the directory. */
async function filesOf(
  target: Target,
  result: ActionResult,
  client: RemoteClient,
): Promise<Map<Path, RemoteFile>> {
  const [file] = result.outputFiles;
  if (file?.digest) return new Map([[file.path, { digest: file.digest, executable: file.isExecutable }]]);
  const [directory] = result.outputDirectories;
  if (!directory?.treeDigest) throw new BuildError(`${target.name} did not make ${target.output}`);
  const [bytes] = await client.read([directory.treeDigest]);
  return flatten(codec().decode("build.bazel.remote.execution.v2.Tree", bytes!), directory.path);
}
