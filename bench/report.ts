/** The results as tables: for a terminal and, the same, for docs/benchmarks.md. */
import {
  cpuInterval,
  type LoadResult,
  latencyCounts,
  median,
  medianOf,
  type Outcome,
  type Outcomes,
  proxyWasBottleneck,
  ratio,
  verdict,
} from "./figures.ts";
import { GOALS, type Goal } from "./goals.ts";
import { LOADS } from "./loads.ts";
import { DIRECT } from "./rounds.ts";
import { percent, type Row, significant, table } from "./table.ts";

/** What a reader has to know besides the figures. */
export interface Setting {
  readonly date: string;
  readonly machine: string;
  /** Its load average when the benchmark began. */
  readonly loadAverage: number;
  /** One line for each program. */
  readonly versions: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Whether generator and backend share a core. */
  readonly shared: boolean;
  /** Other builds of the bridge, by name. */
  readonly builds: readonly string[];
  /** The peers to compare with, in order. */
  readonly peers: readonly string[];
}

function trafficRow(result: LoadResult, name: string, outcome: Outcome, { peers, shared }: Setting): Row {
  if (outcome.failure !== null)
    return [name, `failed: ${outcome.failure}`, ...peers.map(() => ""), "", "", "", "", ""];
  const isDirect = name === DIRECT;
  const against = peers.map((peer) => {
    const times = peer === name ? undefined : ratio(result, name, peer, (sample) => sample.cpu);
    return times === undefined ? "–" : times.toFixed(2);
  });
  const rate = medianOf(outcome, (sample) => sample.rate);
  const latency = latencyCounts(outcome, shared || isDirect);
  const milliseconds = (pick: "p50" | "p99") =>
    significant(medianOf(outcome, (sample) => sample[pick]) / 1000);
  return [
    name,
    isDirect ? "–" : significant(medianOf(outcome, (sample) => sample.cpu)),
    ...against,
    !isDirect && proxyWasBottleneck(outcome, shared) ? significant(rate) : "–",
    latency ? `${milliseconds("p50")} / ${milliseconds("p99")}` : "–",
    isDirect ? "–" : percent(medianOf(outcome, (sample) => sample.proxyBusy)),
    percent(medianOf(outcome, (sample) => sample.generatorBusy)),
    percent(medianOf(outcome, (sample) => sample.backendBusy)),
  ];
}

/** One load: a row for each target, and what went wrong. */
export function loadTable(result: LoadResult, setting: Setting): string {
  const notes = [...result.outcomes].flatMap(([name, { failures }]) =>
    failures.map((reason) => `\n\nA run of ${name} was repeated: ${reason}`),
  );
  const builds = setting.builds.map((name) => buildNote(result, "bridge", name, setting.rounds));
  return figureTable(result, setting) + builds.join("") + notes.join("");
}

/** A paragraph that compares the CPU of a target with that of another build of it; nothing where either did not run often enough. */
export function buildNote(result: Outcomes, target: string, other: string, rounds: number): string {
  const interval = cpuInterval(result, target, other);
  if (interval === undefined) return "";
  const [mean, from, to] = [interval.mean, interval.from, interval.to].map((value) => value.toFixed(3));
  return `\n\nCPU of ${target}: ${mean} × ${other} (95 % interval ${from} to ${to}, ${rounds} rounds)`;
}

function figureTable(result: LoadResult, setting: Setting): string {
  const { load, outcomes } = result;
  if (load.kind === "stall") {
    const rows = [...outcomes].map(([name, { mebibytes, failure }]) => [
      name,
      failure === null ? significant(median(mebibytes)) : `failed: ${failure}`,
    ]);
    return table(["target", "MiB above idle"], rows);
  }
  const head = [
    ...["target", load.per === "call" ? "CPU µs/call" : "CPU s/GiB"],
    ...setting.peers.map((peer) => `× ${peer}`),
    ...[load.per === "call" ? "calls/s" : "MiB/s", "p50 / p99 ms", "proxy", "generator", "backend"],
  ];
  return table(
    head,
    [...outcomes].map(([name, outcome]) => trafficRow(result, name, outcome, setting)),
  );
}

function goalRow(goal: Goal, results: readonly LoadResult[]): Row {
  const load = LOADS.find(({ id }) => id === goal.load)!;
  const { limit } = goal;
  const unit = limit.peer === null ? " MiB" : ` × ${limit.peer}`;
  const reached = verdict(goal, results);
  const what = {
    cpu: `proxy CPU per ${load.kind === "traffic" ? load.per : ""}`,
    p50: "p50",
    memory: "memory above idle",
  }[goal.measure];
  const digits = limit.peer === null ? 0 : 2;
  return [
    load.title + (goal.target === "documented" ? " (documented read path)" : ""),
    what,
    `${limit.peer === null ? limit.mebibytes : limit.ratio}${unit}`,
    reached === undefined ? "not measured" : `${reached.measured.toFixed(digits)}${unit}`,
    reached === undefined ? "–" : reached.met ? "met" : "**missed**",
  ];
}

/** The figures to reach, and what was reached. */
export function goalTable(results: readonly LoadResult[]): string {
  return table(
    ["load", "measure", "at most", "measured", ""],
    GOALS.map((goal) => goalRow(goal, results)),
  );
}

/** The whole of docs/benchmarks.md. */
export function document(results: readonly LoadResult[], setting: Setting): string {
  const { date, machine, loadAverage, versions, rounds, seconds, shared } = setting;
  const sections = results.map((result) => `### ${result.load.title}\n\n${loadTable(result, setting)}\n`);
  return `# Benchmarks

What a call and a byte cost in the bridge, and in nghttpx, nginx and haproxy. Written by \`npm run bench\` (\`-- --help\` lists the flags);
do not edit. ${date}, ${machine}, load average ${loadAverage.toFixed(1)} when it began.

${versions.map((line) => `- ${line}`).join("\n")}

## Figures to reach

${goalTable(results)}

## How it was measured

- Every proxy has one worker, pinned to a core of its own; ${
    shared
      ? 'generator and backend share another core. "direct" has no proxy, and a core for each of the two'
      : 'generator and backend have a core each. "direct" has no proxy'
  }.
- ${rounds} rounds of about ${seconds} s per run after one that only warms up. Each round sends the load through all targets in random order.
  Figures are medians; a ratio is the median of the ratios within each round.
- CPU is user and system time of the proxy's processes. It is what to compare: it depends little on who else uses the machine.
  Calls or MiB per second stand only where the proxy was the bottleneck (90 % busy, and busier than the rest), latencies only where
  generator and backend stayed below 80 %. The last three columns are shares of a core.
- Calls are real ones: FindMissingBlobs with a request of about 200 bytes, a reply of about 300 and ten header fields, one of them
  request metadata of 240 characters, which "varying" changes on every call; ByteStream reads and writes of 64 MiB in messages of 256 KiB.
  Headers are encoded as gRPC libraries do it: every field goes into the dynamic table, values that change are Huffman-coded.
- Every answer is checked: status, content type, length, \`grpc-status\` in the trailers; small replies byte for byte. Before each load every
  target has to carry it with every byte compared at both ends. A run with a wrong answer counts for nothing and is repeated; after the
  third the target is given up.
- "unary during bulk downloads": ten calls in flight on one connection beside eight downloads on two others; the latency is that of the small
  calls, the CPU that of all, per GiB.
- The stalled loads start each proxy afresh, and count resident memory at its worst moment above idle. Afterwards everything is let go and
  has to arrive whole.
- "documented" is the bridge kept to Node's documented API for reading sockets (\`REAPI_BRIDGE_READ_PATH=documented\`).

## Results

${sections.join("\n")}`;
}
