/** Starts an upstream and a bridge, has a blob travel in every way, and stops everything. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FIND_MISSING } from "../../src/upstream/methods.ts";
import { type Digest, encodeDigest } from "../../src/wire/digest.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { median } from "../figures.ts";
import type { Cores } from "../pinned.ts";
import { cpuSeconds } from "../process-tree.ts";
import { bridge } from "../targets.ts";
import { type TransferCase, transferCases } from "./cases.ts";
import { call, framed } from "./wire.ts";

/** What all of it needs. */
export interface TransferSetup {
  /** The checkout of the bridge. */
  readonly root: string;
  readonly nodeFlags: readonly string[];
  readonly cores: Cores;
  readonly rounds: number;
  readonly dir: string;
}

/** What one way costs; medians over the rounds. */
interface TransferFigures {
  readonly name: string;
  readonly title: string;
  /** Bridge CPU in seconds for a GiB of the blob. */
  readonly cpuPerGiB: number;
  readonly mebibytesPerSecond: number;
  /** CPU as a multiple of the relayed case of that direction, within the same round; null for those themselves. */
  readonly timesRelay: number | null;
  /** CPU as a multiple of what the zstd command takes for the same; null where there is no such command. */
  readonly timesCommand: number | null;
}

/** What small calls feel of the streams beside them: the median of their latencies in milliseconds. */
interface BesideFigures {
  readonly alone: number;
  /** Beside four relayed downloads, and beside four that are compressed. */
  readonly relayed: number;
  readonly compressed: number;
}

/** One FindMissingBlobs of 100,000 digests. */
interface ManyFigures {
  /** Milliseconds of a call, at the upstream itself and through the bridge, and the bridge's CPU for it. */
  readonly direct: number;
  readonly bridged: number;
  readonly cpu: number;
}

/** All that was measured. */
export interface TransferResults {
  readonly megabytes: number;
  readonly transfers: readonly TransferFigures[];
  readonly beside: BesideFigures;
  readonly many: ManyFigures;
}

const BLOB_BYTES = 64 << 20;
const GIB = 2 ** 30;
const DIGESTS = 100_000;
/** Small calls whose median is told. */
const SMALL_CALLS = 300;

/** Measures everything once in each round, after one that only warms up. */
export async function measureTransfers(setup: TransferSetup): Promise<TransferResults> {
  const { dir, cores, rounds } = setup;
  const content = program();
  const digest = { hash: createHash("sha256").update(content).digest("hex"), sizeBytes: content.length };
  const file = join(dir, "blob");
  writeFileSync(file, content);
  const upstream = await startUpstream(file, cores.backend);
  const own = join(dir, "transfers");
  mkdirSync(own, { recursive: true });
  const env = {
    REAPI_BRIDGE_UPSTREAM_PROFILE: "buildgrid",
    REAPI_BRIDGE_CONFIG: configFile(own),
  };
  const place = {
    backendPort: upstream.port,
    core: cores.proxy,
    dir: own,
    front: "plain",
    cert: "",
    key: "",
  } as const;
  const running = await bridge("bridge", setup.root, "auto", setup.nodeFlags, env).start(place);
  const session = connected(running.port);
  const direct = connected(upstream.port);
  try {
    const { pid } = running.service;
    const cases = transferCases(content, digest);
    const samples = new Map(cases.map(({ name }) => [name, [] as Sample[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const one of shuffled(cases)) {
        const sample = await timedRun(one, session, pid);
        if (round > 0) samples.get(one.name)!.push(sample);
      }
    }
    const command = commandSeconds(file, dir, cores.proxy);
    return {
      megabytes: BLOB_BYTES >> 20,
      transfers: cases.map((one) => figures(one, samples, command)),
      beside: await besideStreams(session, running.port, cases),
      many: await manyDigests(session, direct, pid, rounds),
    };
  } finally {
    session.destroy();
    direct.destroy();
    await running.service.stop();
    upstream.child.kill();
  }
}

interface Sample {
  readonly cpu: number;
  readonly seconds: number;
}

async function timedRun(one: TransferCase, session: ClientHttp2Session, pid: number): Promise<Sample> {
  const before = cpuSeconds(pid);
  const started = performance.now();
  await one.run(session);
  const seconds = (performance.now() - started) / 1000;
  return { cpu: ((cpuSeconds(pid) - before) * GIB) / BLOB_BYTES, seconds };
}

function figures(
  one: TransferCase,
  samples: ReadonlyMap<string, readonly Sample[]>,
  command: Readonly<Record<string, number>>,
): TransferFigures {
  const mine = samples.get(one.name)!;
  const relay = samples.get(one.relay)!;
  const cpuPerGiB = median(mine.map(({ cpu }) => cpu));
  const peer = command[one.name];
  return {
    name: one.name,
    title: one.title,
    cpuPerGiB,
    mebibytesPerSecond: median(mine.map(({ seconds }) => (BLOB_BYTES >> 20) / seconds)),
    timesRelay: one.relay === one.name ? null : median(mine.map(({ cpu }, round) => cpu / relay[round]!.cpu)),
    timesCommand: peer === undefined ? null : cpuPerGiB / peer,
  };
}

/** The first 64 MiB of a program, this one: neither text nor noise. */
function program(): Buffer {
  const file = openSync(process.execPath, "r");
  try {
    const content = Buffer.alloc(BLOB_BYTES);
    if (readSync(file, content) !== BLOB_BYTES)
      throw new Error(`${process.execPath} is shorter than the blob`);
    return content;
  } finally {
    closeSync(file);
  }
}

/** CPU seconds for a GiB that the zstd command takes at its default level, on one core; nothing where it is not installed. */
function commandSeconds(file: string, dir: string, core: number): Record<string, number> {
  const packed = join(dir, "blob.zst");
  const timed = (args: string): number | null => {
    const script = `TIMEFORMAT='%U %S'; time taskset -c ${core} zstd -q -f --single-thread ${args}`;
    const { status, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    if (status !== 0) return null;
    const [user, system] = stderr.trim().split("\n").at(-1)!.split(" ").map(Number);
    return ((user! + system!) * GIB) / BLOB_BYTES;
  };
  const encode = timed(`-o ${packed} ${file}`);
  const decode = timed(`-d -o ${join(dir, "blob.out")} ${packed}`);
  return {
    ...(encode !== null && { "encode zstd": encode }),
    ...(decode !== null && { "decode zstd": decode }),
  };
}

async function besideStreams(
  session: ClientHttp2Session,
  port: number,
  cases: readonly TransferCase[],
): Promise<BesideFigures> {
  const small = [framed([findMissing(2)])];
  const p50 = async (): Promise<number> => {
    const times: number[] = [];
    for (let n = 0; n < SMALL_CALLS; n++) {
      const started = performance.now();
      await call(session, FIND_MISSING, small);
      times.push(performance.now() - started);
    }
    return median(times);
  };
  const beside = async (name: string): Promise<number> => {
    const bulk = cases.find((one) => one.name === name)!;
    const others = Array.from({ length: 4 }, () => connected(port));
    let over = false;
    const streams = others.map(async (other) => {
      while (!over) await bulk.run(other).catch(() => {});
    });
    try {
      return await p50();
    } finally {
      over = true;
      for (const other of others) other.destroy();
      await Promise.allSettled(streams);
    }
  };
  return { alone: await p50(), relayed: await beside("download"), compressed: await beside("encode zstd") };
}

async function manyDigests(
  session: ClientHttp2Session,
  direct: ClientHttp2Session,
  pid: number,
  rounds: number,
): Promise<ManyFigures> {
  const request = [framed([findMissing(DIGESTS)])];
  const timed = async (through: ClientHttp2Session): Promise<Sample> => {
    const before = cpuSeconds(pid);
    const started = performance.now();
    await call(through, FIND_MISSING, request);
    return { seconds: performance.now() - started, cpu: cpuSeconds(pid) - before };
  };
  const samples: { direct: Sample; bridged: Sample }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const sample = { direct: await timed(direct), bridged: await timed(session) };
    if (round > 0) samples.push(sample);
  }
  return {
    direct: median(samples.map((sample) => sample.direct.seconds)),
    bridged: median(samples.map((sample) => sample.bridged.seconds)),
    cpu: median(samples.map((sample) => sample.bridged.cpu * 1000)),
  };
}

function findMissing(count: number): Buffer {
  const out = new FieldWriter();
  for (let at = 0; at < count; at++) {
    const digest: Digest = { hash: at.toString(16).padStart(64, "0"), sizeBytes: 1000 };
    out.bytes(2, encodeDigest(digest));
  }
  return out.toBuffer();
}

function connected(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 4 << 20 } });
  session.on("connect", () => session.setLocalWindowSize(16 << 20));
  session.on("error", () => {});
  return session;
}

async function startUpstream(file: string, core: number): Promise<{ child: ChildProcess; port: number }> {
  const program = [process.execPath, join(import.meta.dirname, "upstream.ts"), file];
  const child = spawn("taskset", ["-c", String(core), ...program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, port: Number(line) };
}

/** What is opt-in is wanted here. */
function configFile(dir: string): string {
  const path = join(dir, "bridge.json");
  writeFileSync(path, JSON.stringify({ policy: { "compressed-blobs": "require", chunking: "require" } }));
  return path;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
