/** One execution of one action, from its Command to its result. */
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Draft } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { Status } from "../../wire/status.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { type ReadAction, readTask, type Task } from "./action.ts";
import { failureOf, lacking } from "./failure.ts";
import { readInputTree } from "./input-tree.ts";
import { materialise } from "./materialise.ts";
import { collectOutputs, type OutputLists } from "./outputs.ts";
import { findProgram } from "./program.ts";
import { type ProcessEnd, runProcess } from "./run-process.ts";
import { makeScratch, removeScratch } from "./scratch.ts";
import { now, timestampOf } from "./timestamps.ts";

/** There is one worker, and it needs no more of a name. */
const WORKER = "embedded";

/** Bytes of a stream that a server before 2.0 puts into the result. */
const INLINED_BEFORE_2_0 = 16 * 1024;

/** A result on its way to its callers. */
type ResultDraft = Draft<Messages["build.bazel.remote.execution.v2.ActionResult"]>;

/** What is known of an execution, filled in as it proceeds. */
export type ExecutionMetadata = {
  -readonly [Field in keyof MetadataDraft]: MetadataDraft[Field];
};
type MetadataDraft = Draft<Messages["build.bazel.remote.execution.v2.ExecutedActionMetadata"]>;

/** An action and what it takes to run it. */
export interface ActionRun {
  readonly action: ReadAction;
  readonly behaviour: Behaviour;
  readonly store: BlobStore;
  /** An existing directory; the run makes one of its own in it and removes that. */
  readonly scratchDir: string;
  /** Times are written to it as they come. */
  readonly metadata: ExecutionMetadata;
  /** Ends the run: its reason is thrown, and nothing of it stays. */
  readonly signal: AbortSignal;
}

/** How a run ended: a result, and the failure that cut it short, if any; the result then has what there was by then. */
export interface RunEnd {
  readonly result: ResultDraft | null;
  readonly failure: CallError | null;
}

/** Where things are while an action runs. */
interface Places {
  readonly root: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the action. Rejects only with the signal's reason; all else that goes wrong is in the end that is returned. */
export async function runAction(run: ActionRun): Promise<RunEnd> {
  const { metadata } = run;
  metadata.worker = WORKER;
  metadata.workerStartTimestamp = now();
  let scratch: string | null = null;
  try {
    scratch = await makeScratch(run.scratchDir);
    const places = {
      root: join(scratch, "root"),
      stdout: join(scratch, "stdout"),
      stderr: join(scratch, "stderr"),
    };
    await mkdir(places.root);
    const task = await prepare(run, places.root);
    const end = await execute(run, task, places);
    return await collect(run, task, places, end);
  } catch (error) {
    run.signal.throwIfAborted();
    return { result: null, failure: failureOf(error) };
  } finally {
    if (scratch !== null) await removeScratch(scratch);
    metadata.workerCompletedTimestamp = now();
  }
}

/** Everything the action needs from the store is looked for before the first lack is told, so that one answer names all. */
async function prepare({ action, behaviour, store, metadata }: ActionRun, root: string): Promise<Task> {
  metadata.inputFetchStartTimestamp = now();
  const [command, tree] = await Promise.all([
    store.get(action.command),
    readInputTree(action.inputRoot, store, behaviour),
  ]);
  const task = command === null ? null : readTask(command, action, behaviour);
  if (task === null || tree.missing.length > 0) {
    const blobs = { command: command === null ? [action.command] : [], inputs: tree.missing };
    throw lacking(blobs, behaviour.actions.missing);
  }
  const { makes } = behaviour.actions;
  const outputDirectories = [
    ...(makes.parents ? task.outputs.parents : []),
    ...(makes.directories ? task.outputs.directories : []),
  ];
  await materialise({ tree, workingDirectory: task.workingDirectory, outputDirectories }, root, store);
  metadata.inputFetchCompletedTimestamp = now();
  return task;
}

async function execute(
  { action, behaviour, metadata, signal }: ActionRun,
  task: Task,
  { root, stdout, stderr }: Places,
): Promise<ProcessEnd> {
  const cwd = join(root, task.workingDirectory);
  const { PATH: searchPath } = task.environment;
  const places = { root, cwd, searchPath };
  const file = await findProgram(task.arguments[0]!, places, behaviour.actions.programBase);
  metadata.executionStartTimestamp = now();
  const end = await runProcess({
    file,
    args: task.arguments,
    cwd,
    env: task.environment,
    stdout,
    stderr,
    timeoutMs: action.timeoutMs,
    signal,
  });
  metadata.executionCompletedTimestamp = now();
  metadata.virtualExecutionDuration = timestampOf(end.durationNs);
  return end;
}

async function collect(
  run: ActionRun,
  task: Task,
  { root, stdout, stderr }: Places,
  end: ProcessEnd,
): Promise<RunEnd> {
  const { behaviour, store, metadata } = run;
  const { digestFunction } = run.action.command;
  metadata.outputUploadStartTimestamp = now();
  const sink = { store, digestFunction, behaviour, properties: task.outputProperties };
  const streams = {
    ...(await storeStream(stdout, "stdout", run)),
    ...(await storeStream(stderr, "stderr", run)),
  };
  let outputs: Partial<OutputLists> = {};
  let failure: CallError | null = end.timedOut ? timedOut(run.action.timeoutMs) : null;
  try {
    if (failure === null) outputs = await collectOutputs(task.outputs, root, sink);
  } catch (error) {
    failure = failureOf(error);
  }
  metadata.outputUploadCompletedTimestamp = now();
  metadata.workerCompletedTimestamp = now();
  const result = { ...outputs, ...streams, exitCode: end.exitCode, executionMetadata: { ...metadata } };
  return { result, failure };
}

/**
 * An empty stream is an absent one. Before 2.0 it was the server's choice what to inline (D51): then a short stream comes in the result,
 * and nowhere else.
 */
async function storeStream(path: string, name: "stdout" | "stderr", run: ActionRun): Promise<ResultDraft> {
  const { size } = await stat(path);
  if (size === 0) return {};
  if (run.behaviour.outputs.inlinesStreams && size <= INLINED_BEFORE_2_0) {
    return { [`${name}Raw`]: await readFile(path) };
  }
  return {
    [`${name}Digest`]: digestMessage(await run.store.putFile(path, run.action.command.digestFunction)),
  };
}

function timedOut(timeoutMs: number): CallError {
  const message = `the command was killed: it ran longer than its timeout of ${timeoutMs / 1000} s`;
  return new CallError(Status.DEADLINE_EXCEEDED, message);
}
