/**
 * `npm run bench`: measures this bridge and other proxies, pinned and interleaved in front of the same backend. `--help` lists the flags.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { LoadResult, Outcome } from "./figures.ts";
import { type Flags, HELP, readFlags } from "./flags.ts";
import { buildPrograms } from "./native.ts";
import { PEERS } from "./peers.ts";
import { profilesIn, topFunctions } from "./profile.ts";
import { document, goalTable, loadTable, type Setting } from "./report.ts";
import { type Bench, DIRECT, runLoads } from "./rounds.ts";
import { bridge, type Target } from "./targets.ts";

const ROOT = join(import.meta.dirname, "..");

function chooseTargets({ targets: wanted, bridges, profile }: Flags): Target[] {
  const node = profile === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const own = [
    bridge("bridge", ROOT, "auto", node),
    bridge("documented", ROOT, "documented", node),
    // A cache from before requests named their digest function: what does is looked for in each request.
    bridge("scanning", ROOT, "auto", node, { REAPI_BRIDGE_UPSTREAM_PROFILE: "bazel-remote@2.6" }),
    ...[...bridges].map(([name, dir]) => bridge(name, dir, "auto", node)),
  ];
  const known = [...own, ...PEERS];
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

async function runAll(bench: Bench, flags: Flags, setting: Setting): Promise<LoadResult[]> {
  const results: LoadResult[] = [];
  for await (const result of runLoads(bench, flags.loads)) {
    results.push(result);
    console.log(`\n${result.load.title}\n${loadTable(result, setting)}`);
  }
  return results;
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
    makeCertificate(dir);
    using backend = await startBackend(programs.backend, flags.cores.backend);
    const { rounds, seconds, cores } = flags;
    const direct = flags.targets?.has(DIRECT) ?? true;
    const bench = { targets, direct, rounds, seconds, cores, generator: programs.generator, backend, dir };
    const results = await runAll(bench, flags, setting);
    console.log(`\n${goalTable(results)}`);
    for (const path of flags.profile === null ? [] : profilesIn(flags.profile)) {
      console.log(`\n${basename(path)}\n${topFunctions(path, 25).join("\n")}`);
    }
    if (flags.out !== null) writeFileSync(flags.out, document(results, setting));
    return results.every(({ outcomes }) => [...outcomes].every(isSound)) ? 0 : 1;
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
