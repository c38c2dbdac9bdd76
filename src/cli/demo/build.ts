/** A build tool in miniature: turns targets into actions, and runs those that the server has no result for. */
import type { ActionSpec } from "../../client/action-spec.ts";
import type { Api } from "../../client/api.ts";
import { blobOf } from "../../client/blob.ts";
import { listTree, type Path, type RemoteFile } from "../../client/directories.ts";
import type { RemoteClient } from "../../client/remote-client.ts";
import { BuildError } from "./build-error.ts";
import type { Target } from "./phrase-book.ts";

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
 * @throws BuildError if a script fails or does not make its output; CallFailed.
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
    const entries = new Map([...files].map(([path, file]) => [path, { kind: "file", ...file } as const]));
    const { cached, result } = await client.run(actionFor(target, plan.searchPath), { entries, blobs });
    await checkExit(target, result, client);
    const made = await filesOf(target, result, client);
    return { target, cached, milliseconds: performance.now() - start, files: made };
  }
}

function actionFor({ script, output, kind }: Target, searchPath: string): ActionSpec {
  return {
    program: "/bin/sh",
    arguments: ["-c", `set -e; ${script}`],
    environment: { PATH: searchPath },
    outputs: [{ path: output, kind }],
    timeoutSeconds: 10,
  };
}

async function checkExit(target: Target, result: Api<"ActionResult">, client: RemoteClient): Promise<void> {
  if (result.exitCode === 0) return;
  const printed = await client.printed(result.stderrRaw, result.stderrDigest);
  throw new BuildError(`${target.name} ended with exit code ${result.exitCode}: ${printed}`);
}

/** The file a target made, or all files of the directory. */
async function filesOf(
  target: Target,
  result: Api<"ActionResult">,
  client: RemoteClient,
): Promise<Map<Path, RemoteFile>> {
  const [file] = result.outputFiles;
  if (file?.digest) return new Map([[file.path, { digest: file.digest, executable: file.isExecutable }]]);
  const [directory] = result.outputDirectories;
  if (!directory?.treeDigest) throw new BuildError(`${target.name} did not make ${target.output}`);
  const [bytes] = await client.store.read([directory.treeDigest]);
  const entries = await listTree(bytes!);
  return new Map(
    [...entries].flatMap(([path, entry]) =>
      entry.kind === "file" ? [[`${directory.path}/${path}`, entry] as const] : [],
    ),
  );
}
