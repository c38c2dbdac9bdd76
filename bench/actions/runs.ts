/** One run: the upstream gets the blobs of actions, and whoever has to have seen them sees them; then calls are made and counted. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Traffic } from "../loads.ts";
import { generate, measure, type Route, type Sample } from "../measure.ts";
import type { Cores } from "../pinned.ts";
import { Turns } from "../turns.ts";
import { type Bridges, checkCase } from "./bridges.ts";
import type { ActionLoad, Variant } from "./loads.ts";
import {
  actionOf,
  CALLS,
  type CallKind,
  type ClientBlob,
  EMPTY_TREE,
  requestOf,
  treeOf,
} from "./messages.ts";
import type { Uses } from "./upstream/memory-server.ts";
import type { Upstream } from "./upstream-process.ts";

/** What one call took, besides the time. */
export interface ActionSample extends Sample {
  /** What the upstream was asked for in the run. */
  readonly uses: Uses;
}

/** Everything that all runs share. */
export interface ActionBench {
  readonly upstream: Upstream;
  readonly bridges: Bridges;
  readonly generator: string;
  readonly cores: Cores;
  readonly rounds: number;
  /** Of one run. */
  readonly seconds: number;
  readonly dir: string;
}

/** Small actions that a warm bridge knows; with trees it is one. */
const KNOWN = 64;
/** Cold calls that are made in a second at most: one that is faster ends early. */
const COLD_CALLS = { one: 2_000, many: 8_000 } as const;
/** The same with trees: files that are looked at, and that are asked about. */
const COLD_FILES = 60_000;
const KNOWN_FILES = 1_500_000;
const FEWEST_CALLS = 3;

/** The results of a load. */
export interface ActionResult {
  readonly load: ActionLoad;
  readonly outcomes: Turns<ActionSample>["logs"];
}

/** Runs a load in rounds, of which the first only warms up. @throws Error where a case is not what it is said to be. */
export async function runActions(bench: ActionBench, load: ActionLoad): Promise<ActionResult> {
  const variants = new Map(load.variants.map((variant) => [variant.name, variant]));
  for (const variant of load.variants) {
    const port = bench.bridges.of(variant)?.measured.port ?? bench.upstream.port;
    await checkCase(variant, { port, name: nextName() }, bench.upstream);
  }
  const turns = new Turns<ActionSample>([...variants.keys()]);
  await turns.take((name) => run(bench, load, variants.get(name)!));
  for (let round = 0; round < bench.rounds; round++) {
    await turns.take(async (name, { samples }) => {
      samples.push(await run(bench, load, variants.get(name)!));
    });
  }
  return { load, outcomes: turns.logs };
}

let names = 0;

/** A name that no action and no tree had before. */
function nextName(): string {
  return `n${names++}`;
}

/** What a run is about: the actions that are called about, and one that shares their tree. */
interface Prepared {
  readonly actions: readonly ClientBlob[];
  readonly before: readonly ClientBlob[];
  readonly blobs: readonly ClientBlob[];
}

function prepare({ inflight }: ActionLoad, { case: of, state, files }: Variant, seconds: number): Prepared {
  const perSecond = {
    cold: files > 0 ? COLD_FILES / files : inflight === 1 ? COLD_CALLS.one : COLD_CALLS.many,
    tree: Math.min(COLD_CALLS.one, KNOWN_FILES / files),
    warm: 0,
  }[state];
  const wanted = Math.max(FEWEST_CALLS, Math.round(perSecond * seconds));
  const count = state !== "warm" ? wanted : files > 0 ? 1 : KNOWN;
  const blobs: ClientBlob[] = [];
  const tree = (): ClientBlob => {
    const made = files === 0 ? EMPTY_TREE : treeOf(nextName(), files);
    blobs.push(...made);
    return made[0]!;
  };
  const action = (root: ClientBlob): ClientBlob => {
    const made = actionOf(nextName(), of.form, root.digest);
    blobs.push(...made);
    return made[0];
  };
  const shared = state === "cold" && files > 0 ? null : tree();
  const before = state === "tree" ? [action(shared!)] : [];
  const actions = Array.from({ length: count }, () => action(shared ?? tree()));
  return { actions, before: state === "warm" ? actions : before, blobs };
}

async function run(bench: ActionBench, load: ActionLoad, variant: Variant): Promise<ActionSample> {
  const { upstream, generator, cores, seconds } = bench;
  const pair = bench.bridges.of(variant);
  const route: Route = {
    port: pair?.measured.port ?? upstream.port,
    proxy: pair?.measured.service.pid ?? null,
    backend: upstream.pid,
    ...{ generator, cores },
  };
  const { actions, before, blobs } = prepare(load, variant, seconds);
  await upstream.clear();
  await upstream.store(blobs);
  const replay = (kind: CallKind, of: readonly ClientBlob[]): string[] => {
    const file = join(bench.dir, `requests-${kind}`);
    writeFileSync(file, Buffer.concat(of.map(({ digest }) => requestOf(kind, digest))));
    return ["replay", "--path", CALLS[kind].path, "--requests", file];
  };
  const many = ["--inflight", "50"];
  if (load.call === "lookUp") {
    const built = [...new Set([...before, ...actions])];
    await generate({ ...route, port: pair?.twin.port ?? route.port }, [...replay("execute", built), ...many]);
  }
  if (before.length > 0) await generate(route, [...replay(load.call, before), ...many]);
  const again = variant.state === "warm" ? ["--again"] : [];
  const args = [...replay(load.call, actions), ...again, "--inflight", String(load.inflight)];
  const traffic: Traffic = { kind: "traffic", id: "", title: "", front: "plain", per: "call", args };
  await upstream.uses();
  const sample = await measure(route, traffic, seconds);
  return { ...sample, uses: await upstream.uses() };
}
