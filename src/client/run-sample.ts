/** Runs a sample and tells what came of it. */
import { statusName } from "../wire/status.ts";
import type { Api } from "./api.ts";
import { CallFailed } from "./call-failed.ts";
import type { Path } from "./directories.ts";
import type { Output } from "./outputs.ts";
import type { Ran, RemoteClient } from "./remote-client.ts";
import { differences, type Seen } from "./sample-differences.ts";
import type { Sample } from "./samples.ts";

/** What came of a sample, as the client reads it. */
export interface SampleReport extends Seen {
  readonly cached: boolean;
  /** How the execution failed, if that is what it has to do; null if there is a result. */
  readonly failure: CallFailed | null;
  /** By path from the input root; outputs that were not declared have the path of the result. */
  readonly outputs: ReadonlyMap<Path, Output>;
  /** Declared outputs that did not come. */
  readonly missing: readonly Path[];
  /** Paths of files in the result that were not declared. */
  readonly unasked: readonly string[];
  /** What came in the result itself: `stdout`, `stderr`, and outputs by path from the input root. */
  readonly inlined: readonly string[];
  /** What is not as a client of this manner sees it at a server of its level, outputs that did not come included: a line each for people. */
  readonly wrong: readonly string[];
}

/** Runs the sample. Throws as {@link RemoteClient.run}, except for an execution that fails as it has to. */
export async function runSample(client: RemoteClient, sample: Sample): Promise<SampleReport> {
  const expected = sample.expectedBy(client.manner);
  const ran = await client.run(sample.spec, client.inputs(sample.inputs)).catch((error: unknown) => error);
  if (ran instanceof CallFailed) {
    // A failure with ErrorInfo is somebody's refusal, not what became of the action.
    if (expected.failure !== ran.code || ran.errorInfo !== null) throw ran;
    const seen = { exitCode: 0, stdout: "", stderr: "", outputs: new Map() };
    return { ...seen, cached: false, failure: ran, missing: [], unasked: [], inlined: [], wrong: [] };
  }
  if (ran instanceof Error) throw ran;
  const { encoded, cached, result } = ran as Ran;
  const declared = new Map([...encoded.outputPaths].map(([{ path }, name]) => [name, path]));
  const found = await client.outputs(result);
  const outputs = new Map([...found].map(([name, output]) => [declared.get(name) ?? name, output]));
  const { exitCode } = result;
  const stdout = await client.printed(result.stdoutRaw, result.stdoutDigest);
  const stderr = await client.printed(result.stderrRaw, result.stderrDigest);
  const seen = { exitCode, stdout, stderr, outputs };
  const wrong =
    expected.failure === null
      ? await differences(seen, expected, client.store)
      : [`it did not end in ${statusName(expected.failure)}`];
  return {
    ...seen,
    cached,
    failure: null,
    missing: sample.spec.outputs.map(({ path }) => path).filter((path) => !outputs.has(path)),
    unasked: result.outputFiles.map(({ path }) => path).filter((path) => !declared.has(path)),
    inlined: inlinedIn(result).map((name) => declared.get(name) ?? name),
    wrong,
  };
}

function inlinedIn({ stdoutRaw, stderrRaw, outputFiles }: Api<"ActionResult">): string[] {
  return [
    ...(stdoutRaw.length > 0 ? ["stdout"] : []),
    ...(stderrRaw.length > 0 ? ["stderr"] : []),
    ...outputFiles.filter(({ contents }) => contents.length > 0).map(({ path }) => path),
  ];
}
