import { parentPort, workerData } from "node:worker_threads";
import { corpusOf, regressionsOf } from "./cases.ts";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

/** What a worker thread is told. `progress[0]` holds the number of the case that is being tried. */
export interface WorkerTask {
  readonly target: string;
  readonly seed: number;
  readonly cases: number;
  readonly progress: Int32Array;
}

/** What it answers when it is done. */
export type WorkerResult = {
  readonly index: number;
  readonly input: Uint8Array;
  readonly stack: string;
} | null;

// One run in a thread of its own, so that the main thread notices if a case never ends.
const { target: name, seed, cases, progress } = workerData as WorkerTask;
const target = TARGETS.find((each) => each.name === name)!;
const corpus = [...corpusOf(name), ...regressionsOf(name)];
const crash = fuzz(target, corpus, {
  seed,
  cases,
  progress(index) {
    progress[0] = index;
  },
});
const result: WorkerResult = crash && {
  index: crash.index,
  input: crash.input,
  stack: crash.error.stack ?? String(crash.error),
};
parentPort!.postMessage(result);
