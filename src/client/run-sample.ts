/** Runs a sample and tells what came of it. */
import type { Path } from "./directories.ts";
import type { Output } from "./outputs.ts";
import type { RemoteClient } from "./remote-client.ts";
import type { Expected, Sample } from "./samples.ts";

/** What came of a sample, as the client reads it. */
export interface SampleReport {
  readonly cached: boolean;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** By path from the input root; outputs that were not declared have the path of the result. */
  readonly outputs: ReadonlyMap<Path, Output>;
  /** Declared outputs that did not come. */
  readonly missing: readonly Path[];
  /** Paths of files in the result that were not declared. */
  readonly unasked: readonly string[];
  /** What is not as it has to be, missing outputs included: a line each for people. */
  readonly wrong: readonly string[];
}

/** Runs the sample. Throws as {@link RemoteClient.run}. */
export async function runSample(client: RemoteClient, sample: Sample): Promise<SampleReport> {
  const { encoded, cached, result } = await client.run(sample.spec, client.inputs(sample.inputs));
  const declared = new Map([...encoded.outputPaths].map(([{ path }, name]) => [name, path]));
  const found = await client.outputs(result);
  const outputs = new Map([...found].map(([name, output]) => [declared.get(name) ?? name, output]));
  const { exitCode } = result;
  const stdout = await client.printed(result.stdoutRaw, result.stdoutDigest);
  const stderr = await client.printed(result.stderrRaw, result.stderrDigest);
  const report = { cached, exitCode, stdout, stderr, outputs };
  return {
    ...report,
    missing: sample.spec.outputs.map(({ path }) => path).filter((path) => !outputs.has(path)),
    unasked: result.outputFiles.map(({ path }) => path).filter((path) => !declared.has(path)),
    wrong: [...differences(sample, report)],
  };
}

type Seen = Pick<SampleReport, "exitCode" | "stdout" | "stderr" | "outputs">;

function* differences(sample: Sample, { exitCode, stdout, stderr, outputs }: Seen): Generator<string> {
  if (exitCode !== sample.exitCode) {
    yield `the exit code is ${exitCode}, not ${sample.exitCode}: ${stderr.trim() || stdout.trim()}`;
  }
  if (stdout !== sample.stdout) yield `it printed ${JSON.stringify(stdout)}`;
  if (exitCode === sample.exitCode && stderr !== sample.stderr)
    yield `its errors are ${JSON.stringify(stderr)}`;
  for (const [path, expected] of Object.entries(sample.expected)) {
    const output = outputs.get(path);
    if (output === undefined) yield `the output ${path} did not come`;
    else if (!isAs(output, expected)) yield `the output ${path} is not what it should be`;
  }
}

function isAs(output: Output, expected: Expected): boolean {
  switch (expected.kind) {
    case "file":
      return output.kind === "file" && output.content.toString() === expected.content;
    case "symlink":
      return output.kind === "symlink" && output.target === expected.target;
    case "directory":
      return (
        output.kind === "directory" &&
        [...output.entries.keys()].sort().join("\n") === expected.paths.join("\n")
      );
  }
}
