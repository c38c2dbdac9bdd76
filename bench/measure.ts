/** One run of a load through one target. */
import { setTimeout as delay } from "node:timers/promises";
import type { Traffic } from "./loads.ts";
import { type Cores, runPinned } from "./pinned.ts";
import { cpuSeconds } from "./process-tree.ts";

/** Where a run goes. */
export interface Route {
  readonly port: number;
  /** Process of the proxy; null where there is none. */
  readonly proxy: number | null;
  readonly backend: number;
  readonly generator: string;
  readonly cores: Cores;
}

/** What was seen. Utilisations are shares of one core, 0 to 1. */
export interface Sample {
  /** Proxy CPU per call in microseconds, or per GiB in seconds; null for a run without a proxy. */
  readonly cpu: number | null;
  /** Calls that were made; of a load beside another, those of the other. */
  readonly calls: number;
  /** Calls, or MiB, per second. */
  readonly rate: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly proxyBusy: number;
  readonly generatorBusy: number;
  readonly backendBusy: number;
}

/** The generator's own report. */
interface Report {
  readonly calls: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly p50: number;
  readonly p99: number;
}

const GIB = 2 ** 30;
/** How long the bulk load runs alone before and after the small calls, in seconds. */
const LEAD = 0.3;

/** Runs the generator to its end; throws if one call went wrong. */
export async function generate(route: Route, args: readonly string[]): Promise<Report> {
  const core =
    route.proxy === null && route.cores.generator === route.cores.backend
      ? route.cores.proxy
      : route.cores.generator;
  const command = [route.generator, `127.0.0.1:${route.port}`, ...args];
  return JSON.parse(await runPinned(command, core)) as Report;
}

async function generateBoth(
  route: Route,
  load: Traffic,
  seconds: number,
): Promise<{ bulk: Report; small?: Report }> {
  if (load.beside === undefined) {
    return { bulk: await generate(route, [...load.args, "--seconds", String(seconds)]) };
  }
  const { beside } = load;
  const after = async () => {
    await delay(LEAD * 1000);
    return generate(route, [...beside, "--seconds", String(seconds)]);
  };
  const [bulk, small] = await Promise.all([
    generate(route, [...load.args, "--seconds", String(seconds + 2 * LEAD)]),
    after(),
  ]);
  return { bulk, small };
}

/** Runs a load for about `seconds`; throws if one call went wrong. */
export async function measure(route: Route, load: Traffic, seconds: number): Promise<Sample> {
  const before = {
    proxy: route.proxy === null ? 0 : cpuSeconds(route.proxy),
    backend: cpuSeconds(route.backend),
  };
  const { bulk, small } = await generateBoth(route, load, seconds);
  const proxy = route.proxy === null ? 0 : cpuSeconds(route.proxy) - before.proxy;
  const backend = cpuSeconds(route.backend) - before.backend;
  const work = load.per === "call" ? bulk.calls / 1e6 : bulk.bytes / GIB;
  return {
    cpu: route.proxy === null ? null : proxy / work,
    calls: bulk.calls,
    rate: (load.per === "call" ? bulk.calls : bulk.bytes / 2 ** 20) / bulk.seconds,
    p50: (small ?? bulk).p50,
    p99: (small ?? bulk).p99,
    proxyBusy: proxy / bulk.seconds,
    generatorBusy: (bulk.cpuSeconds + (small?.cpuSeconds ?? 0)) / bulk.seconds,
    backendBusy: backend / bulk.seconds,
  };
}

/** Sends a few calls whose every byte is compared at both ends; throws if one went wrong. */
export async function check(route: Route, load: Traffic): Promise<void> {
  const calls = load.per === "call" ? 2000 : 8;
  await generate(route, [...load.args, "--check", "--calls", String(calls)]);
}
