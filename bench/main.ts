/**
 * `npm run bench`: measures this bridge and other proxies, pinned and interleaved in front of the same backend. `--help` lists the flags.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { actionLoads } from "./actions/loads.ts";
import { measureActions } from "./actions/measure-actions.ts";
import { actionSection, actionTable, HEADING } from "./actions/report.ts";
import type { ActionResult } from "./actions/runs.ts";
import type { LoadResult, Outcome } from "./figures.ts";
import { type Flags, HELP, readFlags } from "./flags.ts";
import { buildPrograms, type Programs } from "./native.ts";
import { PEERS } from "./peers.ts";
import { profilesIn, topFunctions } from "./profile.ts";
import { document, goalTable, loadTable, type Setting } from "./report.ts";
import { DIRECT, runLoads } from "./rounds.ts";
import { bridge, type Target } from "./targets.ts";
import { measureTransfers, type TransferResults } from "./transfers/measure-transfers.ts";
import { TRANSFERS_HEADING, transferSection, transferTable } from "./transfers/report.ts";

/** Targets that are this build of the bridge in another setting. */
const VARIANTS: ReadonlySet<string> = new Set(["documented", "scanning"]);
const ROOT = join(import.meta.dirname, "..");

function nodeFlags({ profile }: Flags): string[] {
  return profile === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
}

function chooseTargets(flags: Flags): Target[] {
  const { targets: wanted, bridges, loads } = flags;
  const node = nodeFlags(flags);
  const own = [
    bridge("bridge", ROOT, "auto", node),
    bridge("documented", ROOT, "documented", node),
    // A cache from before requests named their digest function: what does is looked for in each request.
    bridge("scanning", ROOT, "auto", node, { REAPI_BRIDGE_UPSTREAM_PROFILE: "bazel-remote@2.6" }),
    ...[...bridges].map(([name, dir]) => bridge(name, dir, "auto", node)),
  ];
  // Actions go through bridges only, which stand here for their versions.
  const known = loads.length === 0 ? own.filter(({ name }) => !VARIANTS.has(name)) : [...own, ...PEERS];
  for (const name of wanted ?? []) {
    if (name !== DIRECT && !known.some((target) => target.name === name))
      throw new Error(`there is no target "${name}"; see --help`);
  }
  return known.filter((target) => {
    if (wanted !== undefined && !wanted.has(target.name)) return false;
    if (target.version() !== null) return true;
    console.error(`${target.name} is not installed and left out`);
    return false;
  });
}

function describe(flags: Flags, targets: readonly Target[]): Setting {
  const { cores, rounds, seconds } = flags;
  const installed = new Set(targets.map(({ name }) => name));
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]!.model.trim()}, Linux ${release().split(".").slice(0, 2).join(".")}`,
    loadAverage: loadavg()[0]!,
    versions: targets.map((target) => `${target.name}: ${target.version()}`),
    ...{ rounds, seconds, shared: cores.generator === cores.backend },
    builds: [...flags.bridges.keys()],
    peers: PEERS.map(({ name }) => name).filter((name) => installed.has(name)),
  };
}

function makeCertificate(dir: string): void {
  const cert = join(dir, "cert");
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const made = ["-subj", "/CN=localhost", "-days", "30", "-keyout", `${cert}.key`, "-out", cert];
  execFileSync("openssl", ["req", "-x509", ...kind, ...made], { stdio: "ignore" });
}

async function startBackend(program: string, core: number) {
  const child = spawn("taskset", ["-c", String(core), program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { port: Number(line), pid: child.pid!, [Symbol.dispose]: () => child.kill() };
}

async function runTraffic(
  flags: Flags,
  setting: Setting,
  targets: readonly Target[],
  programs: Programs,
  dir: string,
): Promise<LoadResult[]> {
  const results: LoadResult[] = [];
  if (flags.loads.length === 0) return results;
  makeCertificate(dir);
  const { rounds, seconds, cores } = flags;
  using backend = await startBackend(programs.backend, cores.backend);
  const direct = flags.targets?.has(DIRECT) ?? true;
  const bench = { targets, direct, rounds, seconds, cores, generator: programs.generator, backend, dir };
  for await (const result of runLoads(bench, flags.loads)) {
    results.push(result);
    console.log(`\n${result.load.title}\n${loadTable(result, setting)}`);
  }
  console.log(`\n${goalTable(results)}`);
  return results;
}

async function runActions(flags: Flags, { generator }: Programs, dir: string): Promise<ActionResult[]> {
  const results: ActionResult[] = [];
  const loads = actionLoads(flags.actionLoads, [...flags.bridges.keys()], flags.trees);
  if (loads.length === 0) return results;
  const { rounds, seconds, cores, bridges } = flags;
  const builds = new Map([[null, ROOT], ...bridges]);
  const shared = { rounds, seconds, cores, core: cores.proxy, generator, dir };
  for await (const result of measureActions({ ...shared, builds, nodeFlags: nodeFlags(flags) }, loads)) {
    results.push(result);
    console.log(`\n${result.load.title}\n${actionTable(result, rounds)}`);
  }
  return results;
}

async function runTransfers(flags: Flags, dir: string): Promise<TransferResults | null> {
  if (!flags.transfers) return null;
  const { cores, rounds } = flags;
  const results = await measureTransfers({ root: ROOT, nodeFlags: nodeFlags(flags), cores, rounds, dir });
  console.log(`\n${transferTable(results)}`);
  return results;
}

/** The document with those of its parts new of which there are results; the others stay. */
function written(
  out: string,
  results: readonly LoadResult[],
  actions: readonly ActionResult[],
  transfers: TransferResults | null,
  setting: Setting,
): string {
  const kept = existsSync(out) ? readFileSync(out, "utf8") : "# Benchmarks\n";
  const [traffic = "", ...others] = kept.split(/^(?=## What (?:rewriting actions costs|transfers cost)$)/m);
  const oldPart = (heading: string): string => others.find((part) => part.startsWith(heading)) ?? "";
  const parts = [
    results.length > 0 ? document(results, setting) : traffic,
    actions.length > 0 ? actionSection(actions, setting) : oldPart(HEADING),
    transfers !== null ? transferSection(transfers, setting) : oldPart(TRANSFERS_HEADING),
  ];
  return `${parts
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

/** Peers may get a call wrong now and then; a build of the bridge may not. */
function isSound([name, { failure, failures }]: [string, Outcome]): boolean {
  return failure === null && (failures.length === 0 || PEERS.some((peer) => peer.name === name));
}

async function main(args: readonly string[]): Promise<number> {
  const flags = readFlags(args);
  if (flags === null) {
    console.log(HELP);
    return 0;
  }
  const targets = chooseTargets(flags);
  const programs = buildPrograms();
  const setting = describe(flags, targets);
  const dir = mkdtempSync(join(tmpdir(), "reapi-bridge-bench-"));
  try {
    const results = await runTraffic(flags, setting, targets, programs, dir);
    const actions = await runActions(flags, programs, dir);
    const transfers = await runTransfers(flags, dir);
    for (const path of flags.profile === null ? [] : profilesIn(flags.profile)) {
      console.log(`\n${basename(path)}\n${topFunctions(path, 25).join("\n")}`);
    }
    if (flags.out !== null)
      writeFileSync(flags.out, written(flags.out, results, actions, transfers, setting));
    const outcomes = [...results, ...actions].flatMap((result) => [...result.outcomes]);
    return outcomes.every(isSound) ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
