/** Interleaved rounds: each sends every load through every target in random order, so that what disturbs the machine disturbs all. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LoadResult } from "./figures.ts";
import type { Load, Stall, Traffic } from "./loads.ts";
import { check, measure, type Route } from "./measure.ts";
import type { Cores } from "./pinned.ts";
import { measureStall } from "./stall.ts";
import type { Front, Running, Target } from "./targets.ts";
import { Turns } from "./turns.ts";

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

async function runTraffic(
  bench: Bench,
  load: Traffic,
  running: ReadonlyMap<string, Running>,
): Promise<LoadResult> {
  const withDirect = bench.direct && load.front === "plain";
  const turns = new Turns([...(withDirect ? [DIRECT] : []), ...running.keys()]);
  const routeOf = (name: string) => routeTo(bench, running.get(name) ?? null);
  await turns.take((name) => check(routeOf(name), load));
  await turns.take((name) => measure(routeOf(name), load, Math.max(bench.seconds, WARM_UP_SECONDS)));
  for (let round = 0; round < bench.rounds; round++) {
    await turns.take(async (name, { samples }) => {
      samples.push(await measure(routeOf(name), load, bench.seconds));
    });
  }
  return { load, outcomes: turns.logs };
}

async function runStall(bench: Bench, load: Stall): Promise<LoadResult> {
  const targets = new Map(bench.targets.map((target) => [target.name, target]));
  const turns = new Turns([...targets.keys()]);
  for (let round = 0; round < bench.rounds; round++) {
    await turns.take(async (name, { mebibytes }) => {
      const fresh = await startTarget(bench, targets.get(name)!, load.front);
      try {
        mebibytes.push(await measureStall(routeTo(bench, fresh), load));
      } finally {
        await fresh.service.stop();
      }
    });
  }
  return { load, outcomes: turns.logs };
}

/** Runs the loads and yields the result of each; traffic first, then stalls. */
export async function* runLoads(bench: Bench, loads: readonly Load[]): AsyncGenerator<LoadResult> {
  for (const front of ["plain", "tls"] as const) {
    const traffic = loads.filter((load) => load.kind === "traffic").filter((load) => load.front === front);
    if (traffic.length === 0) continue;
    await using all = await startAll(bench, front);
    for (const load of traffic) yield await runTraffic(bench, load, all.running);
  }
  for (const load of loads) if (load.kind === "stall") yield await runStall(bench, load);
}
