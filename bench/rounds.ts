/** Interleaved rounds: each sends every load through every target in random order, so that what disturbs the machine disturbs all. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LoadResult, Outcome } from "./figures.ts";
import type { Load } from "./loads.ts";
import { check, measure, type Route, type Sample } from "./measure.ts";
import type { Cores } from "./pinned.ts";
import { measureStall } from "./stall.ts";
import type { Front, Running, Target } from "./targets.ts";

/** The name under which the backend itself is measured, without a proxy. */
export const DIRECT = "direct";

/** Long enough for compilers that work at run time to be done. */
const WARM_UP_SECONDS = 1.5;

/** Everything that all runs share. */
export interface Bench {
  readonly targets: readonly Target[];
  readonly direct: boolean;
  readonly rounds: number;
  /** Of one run. */
  readonly seconds: number;
  readonly cores: Cores;
  readonly generator: string;
  readonly backend: { readonly port: number; readonly pid: number };
  /** Where targets keep configuration and logs, with `cert` and `cert.key` in it. */
  readonly dir: string;
}

interface Log {
  readonly samples: Sample[];
  readonly mebibytes: number[];
  failure: string | null;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function startTarget(bench: Bench, target: Target, front: Front): Promise<Running> {
  const dir = join(bench.dir, `${target.name}-${front}`);
  mkdirSync(dir, { recursive: true });
  const cert = join(bench.dir, "cert");
  return target.start({
    ...{ front, dir, cert, key: `${cert}.key` },
    ...{ backendPort: bench.backend.port, core: bench.cores.proxy },
  });
}

function routeTo(bench: Bench, running: Running | null): Route {
  const { generator, cores, backend } = bench;
  return {
    port: running?.port ?? backend.port,
    proxy: running?.service.pid ?? null,
    backend: backend.pid,
    ...{ generator, cores },
  };
}

/** Starts targets that serve until the returned object is disposed of. */
async function startAll(bench: Bench, front: Front) {
  const running = new Map<string, Running>();
  const stop = async () => {
    await Promise.all([...running.values()].map(({ service }) => service.stop()));
  };
  try {
    for (const target of bench.targets) running.set(target.name, await startTarget(bench, target, front));
  } catch (error) {
    await stop();
    throw error;
  }
  return { running, [Symbol.asyncDispose]: stop };
}

async function runOnce(
  bench: Bench,
  load: Load,
  name: string,
  running: Running | undefined,
  log: Log,
  seconds: number,
): Promise<void> {
  if (load.kind === "traffic") {
    log.samples.push(await measure(routeTo(bench, running ?? null), load, seconds));
    return;
  }
  const target = bench.targets.find((candidate) => candidate.name === name)!;
  const fresh = await startTarget(bench, target, load.front);
  try {
    log.mebibytes.push(await measureStall(routeTo(bench, fresh), load));
  } finally {
    await fresh.service.stop();
  }
}

async function runLoad(bench: Bench, load: Load, running: ReadonlyMap<string, Running>): Promise<LoadResult> {
  const withDirect = bench.direct && load.kind === "traffic" && load.front === "plain";
  const names = [...(withDirect ? [DIRECT] : []), ...bench.targets.map(({ name }) => name)];
  const logs = new Map<string, Log>(
    names.map((name) => [name, { samples: [], mebibytes: [], failure: null }]),
  );
  const attempt = async (name: string, work: (log: Log) => Promise<void>) => {
    const log = logs.get(name)!;
    if (log.failure !== null) return;
    await work(log).catch((error: Error) => {
      log.failure = error.message;
    });
  };
  for (const name of names) {
    await attempt(name, async () => {
      if (load.kind === "traffic") await check(routeTo(bench, running.get(name) ?? null), load);
    });
  }
  // The first round of traffic only warms up.
  for (let round = load.kind === "traffic" ? -1 : 0; round < bench.rounds; round++) {
    for (const name of shuffled(names)) {
      await attempt(name, async (log) => {
        const seconds = round < 0 ? Math.max(bench.seconds, WARM_UP_SECONDS) : bench.seconds;
        await runOnce(bench, load, name, running.get(name), log, seconds);
        if (round < 0) log.samples.pop();
      });
    }
  }
  return { load, outcomes: logs satisfies Map<string, Outcome> };
}

/** Runs the loads and yields the result of each. A target that gets a call wrong is out of that load, with the reason. */
export async function* runLoads(bench: Bench, loads: readonly Load[]): AsyncGenerator<LoadResult> {
  for (const front of ["plain", "tls"] as const) {
    const traffic = loads.filter((load) => load.kind === "traffic" && load.front === front);
    if (traffic.length === 0) continue;
    await using all = await startAll(bench, front);
    for (const load of traffic) yield await runLoad(bench, load, all.running);
  }
  for (const load of loads) if (load.kind === "stall") yield await runLoad(bench, load, new Map());
}
