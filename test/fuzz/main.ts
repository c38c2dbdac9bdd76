/**
 * Fuzzes what reads bytes of peers: `npm run fuzz -- [--target NAME]… [--cases 1e6] [--seed N]`.
 * A run follows from its seed. An input that breaks a target is printed, made small, and kept in `test/fuzz/regressions/`,
 * from where the tests replay it. Exit code 1 if there was one.
 */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { corpusOf, keepRegression, regressionsOf } from "./cases.ts";
import { mutated } from "./mutate.ts";
import { TARGETS } from "./targets.ts";
import type { WorkerResult, WorkerTask } from "./worker.ts";

/** A case that takes longer than this, in milliseconds, never ends. */
const HANG = 20_000;

interface Run {
  readonly seed: number;
  readonly cases: number;
}

function readArguments(): Run & { targets: string[] } {
  const names = TARGETS.map(({ name }) => name);
  const { values } = parseArgs({
    options: {
      target: { type: "string", multiple: true, default: names },
      cases: { type: "string", default: "1e6" },
      seed: { type: "string", default: "1" },
    },
  });
  const unknown = values.target.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no target "${unknown}"; there are ${names.join(", ")}`);
  const [cases, seed] = [Number(values.cases), Number(values.seed)];
  if (!Number.isSafeInteger(cases) || cases < 1) throw new Error("--cases: a number of cases, such as 1e6");
  if (!Number.isSafeInteger(seed)) throw new Error("--seed: a whole number");
  return { targets: values.target, cases, seed };
}

/** Runs one target to its end; resolves with what broke it, or null. */
async function run(target: string, { seed, cases }: Run): Promise<WorkerResult> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const task: WorkerTask = { target, seed, cases, progress };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: task });
  let last = -1;
  const hung = Promise.withResolvers<WorkerResult>();
  const watch = setInterval(() => {
    if (progress[0] !== last) {
      last = progress[0]!;
      return;
    }
    const input = mutated([...corpusOf(target), ...regressionsOf(target)], seed, last);
    hung.resolve({ index: last, input, stack: `no end within ${HANG} ms` });
  }, HANG);
  try {
    const done = once(worker, "message").then(([result]) => result as WorkerResult);
    return await Promise.race([done, hung.promise]);
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}

/** Runs one target and tells how it went; true if nothing broke it. */
async function report(target: string, options: Run): Promise<boolean> {
  const started = performance.now();
  const crash = await run(target, options);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (crash === null) {
    console.log(`${target}: ${options.cases} cases in ${seconds} s, seed ${options.seed}: nothing broke it`);
    return true;
  }
  const file = keepRegression(target, crash.input);
  console.error(`${target}: case ${crash.index} of seed ${options.seed} broke it
  ${crash.stack.replaceAll("\n", "\n  ")}
  input (base64): ${Buffer.from(crash.input).toString("base64")}
  kept as ${file}: npm test replays it`);
  return false;
}

const { targets, ...options } = readArguments();
const queue = [...targets];
let broken = 0;
async function takeTurns(): Promise<void> {
  for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
    if (!(await report(target, options))) broken++;
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, takeTurns));
process.exitCode = broken > 0 ? 1 : 0;
