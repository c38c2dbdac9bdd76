/** What rewriting costs, as tables. */
import { cpuInterval, median, medianOf, type Outcome, ratio } from "../figures.ts";
import { buildNote, type Setting } from "../report.ts";
import { percent, type Row, significant, table } from "../table.ts";
import { RELAY, SMALL, TREES } from "./cases.ts";
import type { Variant } from "./loads.ts";
import type { ActionResult, ActionSample } from "./runs.ts";

/** Calls below which no 99th percentile is told. */
const ENOUGH = 200;

/** One load: a row for each variant, and what went wrong. */
export function actionTable(result: ActionResult, rounds: number): string {
  const { load, outcomes } = result;
  const trees = load.id.endsWith("tree");
  const rows = load.variants.map((variant) => row(result, variant, trees));
  const notes = [...outcomes].flatMap(([name, { failures }]) =>
    failures.map((reason) => `\n\nA run of "${name}" was repeated: ${reason}`),
  );
  const builds = load.variants
    .filter(({ build }) => build !== null)
    .map(({ name, build }) => buildNote(result, name.replace(` (${build})`, ""), name, rounds));
  return table(head(trees), rows) + builds.join("") + notes.join("");
}

function head(trees: boolean): Row {
  return [
    ...["case", "CPU µs/call", "× relay", "95 %"],
    ...(trees ? ["µs per directory"] : ["calls/s"]),
    ...["p50 / p99 ms", "p50 − relay's", "reads, asks, writes, rest", "blobs", "bridge", "upstream"],
  ];
}

function row(result: ActionResult, variant: Variant, trees: boolean): Row {
  const { outcomes } = result;
  const outcome = outcomes.get(variant.name)!;
  const empty = head(trees).slice(2);
  if (outcome.failure !== null) return [variant.name, `failed: ${outcome.failure}`, ...empty.map(() => "")];
  const relay = variant.build === null ? RELAY : `${RELAY} (${variant.build})`;
  const compared = { outcomes };
  const isRelay = variant.name === relay;
  const times = isRelay ? undefined : ratio(compared, variant.name, relay, ({ cpu }) => cpu);
  const interval = times === undefined ? undefined : cpuInterval(compared, variant.name, relay);
  const cpu = medianOf(outcome, (sample) => sample.cpu);
  const calls = medianOf(outcome, (sample) => sample.calls);
  const of = (pick: "p50" | "p99") => significant(medianOf(outcome, (sample) => sample[pick]) / 1000);
  return [
    variant.name,
    Number.isNaN(cpu) ? "–" : significant(cpu),
    times === undefined ? "–" : significant(times),
    interval === undefined ? "–" : `${significant(interval.from)} to ${significant(interval.to)}`,
    ...(trees ? [perDirectory(cpu, variant)] : [significant(medianOf(outcome, (sample) => sample.rate))]),
    `${of("p50")} / ${calls < ENOUGH ? "–" : of("p99")}`,
    isRelay || variant.case.peers === null ? "–" : added(outcome, outcomes.get(relay)),
    ...uses(outcome.samples),
    Number.isNaN(cpu) ? "–" : percent(medianOf(outcome, (sample) => sample.proxyBusy)),
    percent(medianOf(outcome, (sample) => sample.backendBusy)),
  ];
}

function perDirectory(cpu: number, { files }: Variant): string {
  return files === 0 ? "–" : significant(cpu / Math.ceil(files / 10));
}

/** Milliseconds that are added to the latency of what relays: the median over the rounds of the difference within a round. */
function added(outcome: Outcome, relay: Outcome | undefined): string {
  if (relay === undefined || relay.failure !== null) return "–";
  const differences = outcome.samples.map(({ p50 }, round) => p50 - relay.samples[round]!.p50);
  return significant(median(differences) / 1000);
}

/** What one call made the upstream do: calls that read, ask for and write blobs, all others, and how many blobs these were. */
function uses(samples: readonly ActionSample[]): [string, string] {
  const per = (pick: (sample: ActionSample) => number): number =>
    median(samples.map((sample) => pick(sample) / sample.calls));
  const called = (...names: string[]) =>
    per(({ uses: { calls } }) => names.reduce((sum, name) => sum + (calls[name] ?? 0), 0));
  const reads = called("BatchReadBlobs", "Read");
  const [asks, writes] = [called("FindMissingBlobs"), called("BatchUpdateBlobs")];
  const all = per(({ uses: { calls } }) => Object.values(calls).reduce((sum, count) => sum + count, 0));
  const short = (value: number): string => value.toFixed(2).replace(/\.?0+$/, "");
  const blobs = (["read", "asked", "written"] as const).map((kind) =>
    per((sample) => sample.uses.blobs[kind]),
  );
  return [
    [reads, asks, writes, all - reads - asks - writes].map(short).join(", "),
    blobs.every((count) => count < 0.005) ? "–" : blobs.map(short).join(", "),
  ];
}

/** The heading under which the document has all of this, up to its end. */
export const HEADING = "## What rewriting actions costs";

/** The part of the document about actions. */
export function actionSection(results: readonly ActionResult[], setting: Setting): string {
  const { date, machine, loadAverage, versions, rounds, seconds, shared } = setting;
  const cases = [...SMALL, ...TREES.filter(({ name }) => name === "tree")];
  const listed = cases.map(({ name, title, peers }) => {
    const between = peers === null ? "" : ` (${peers.client} before ${peers.server})`;
    return `- ${name}: ${title}${between}`;
  });
  const sections = results.map((result) => `### ${result.load.title}\n\n${actionTable(result, rounds)}\n`);
  return `${HEADING}

Written by \`npm run bench -- --actions\`; do not edit. ${date}, ${machine}, load average ${loadAverage.toFixed(1)} when it began.

${versions.map((line) => `- ${line}`).join("\n")}

Another action runs in place of the client's, in these ways:

${listed.join("\n")}

- "cold" are actions that nobody has seen, each once; "warm" are actions that the bridge has seen; "new action" is one with a tree that the bridge
  has seen. Before look-ups another bridge has executed what is looked for.
- The upstream runs nothing: it has blobs and results in memory, and answers Execute at once with a finished operation. It is a process of
  Node.js with the bridge's own HTTP/2${shared ? ", on one core with the generator" : ""}; the last column is its share of a core. Before each load it is compared what an
  action became with what the case says, and what the client is told.
- ${rounds} rounds of at most about ${seconds} s per run after one that only warms up, in random order. CPU is the bridge's; of ratios there is the median over the
  rounds, and the interval in which the mean lies with 95 % certainty. Latencies contain the upstream's and the generator's own time, which are in those of
  "relay" as well. "calls/s" is what arrived, whoever was the bottleneck.
- "reads, asks, writes, rest": calls that the upstream gets for one of the client's, by what they do to blobs; "rest" are those about results and
  operations. "blobs": how many are read, asked about and written for one call.
- A tree has ten files in each directory and up to ten directories in each, no two alike; each file has a time.

${sections.join("\n")}`;
}
