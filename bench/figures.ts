/** Medians and ratios of what the rounds saw. */
import type { Goal } from "./goals.ts";
import type { Load } from "./loads.ts";
import type { Sample } from "./measure.ts";

/** What one target did under one load: a sample per round, or MiB per round for a stall. */
export interface Outcome {
  readonly samples: readonly Sample[];
  readonly mebibytes: readonly number[];
  /** What went wrong in runs that were repeated. */
  readonly failures: readonly string[];
  /** Why it was given up, or null. */
  readonly failure: string | null;
}

/** What several did under one load, by the name of each. */
export interface Outcomes {
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** The outcomes of one load by the name of the target. */
export interface LoadResult extends Outcomes {
  readonly load: Load;
}

/** The middle one, or the mean of the middle two; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[Math.floor(middle)]!;
}

/** The median of one property of the samples. */
export function medianOf(outcome: Outcome, pick: (sample: Sample) => number | null): number {
  return median(outcome.samples.map((sample) => pick(sample) ?? Number.NaN));
}

/**
 * How many times a peer's figure the target's is: the median over the rounds of the ratio within a round, as a machine that is busy
 * with something else slows both alike. Undefined where either did not run.
 */
export function ratio(
  { outcomes }: Outcomes,
  target: string,
  peer: string,
  pick: (sample: Sample) => number | null,
): number | undefined {
  const [mine, theirs] = [outcomes.get(target), outcomes.get(peer)];
  if (mine === undefined || theirs === undefined || mine.failure !== null || theirs.failure !== null)
    return undefined;
  const value = median(
    mine.samples.map(
      (sample, round) => (pick(sample) ?? Number.NaN) / (pick(theirs.samples[round]!) ?? Number.NaN),
    ),
  );
  return Number.isNaN(value) ? undefined : value;
}

/** The 97.5 % points of the t distribution with 2 to 10 degrees of freedom. */
const STUDENT = [4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** A mean with the ends of its 95 % interval. */
export interface Interval {
  readonly mean: number;
  readonly from: number;
  readonly to: number;
}

/**
 * How many times another target's CPU this one took: the geometric mean over the rounds, with the interval in which it lies with 95 %
 * certainty, by the t distribution of the logarithms. Undefined for fewer than three rounds, or where either did not run.
 */
export function cpuInterval({ outcomes }: Outcomes, target: string, other: string): Interval | undefined {
  const [mine, theirs] = [outcomes.get(target), outcomes.get(other)];
  if (mine === undefined || theirs === undefined || mine.failure !== null || theirs.failure !== null)
    return undefined;
  const logs = mine.samples.map(({ cpu }, round) =>
    Math.log((cpu ?? Number.NaN) / (theirs.samples[round]!.cpu ?? Number.NaN)),
  );
  const n = logs.length;
  if (n < 3) return undefined;
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (n - 1);
  const t = STUDENT[n - 3] ?? 1.96 + 2.5 / (n - 1);
  const half = t * Math.sqrt(variance / n);
  return { mean: Math.exp(mean), from: Math.exp(mean - half), to: Math.exp(mean + half) };
}

/** What was measured for a goal, in the unit of its limit, and whether that is enough; undefined where it was not measured. */
export function verdict(
  goal: Goal,
  results: readonly LoadResult[],
): { readonly measured: number; readonly met: boolean } | undefined {
  const result = results.find(({ load }) => load.id === goal.load);
  if (result === undefined) return undefined;
  const { limit, measure, target } = goal;
  if (limit.peer === null) {
    const outcome = result.outcomes.get(target);
    if (outcome === undefined || outcome.failure !== null) return undefined;
    const measured = median(outcome.mebibytes);
    return { measured, met: measured <= limit.mebibytes };
  }
  const measured = ratio(result, target, limit.peer, (sample) =>
    measure === "p50" ? sample.p50 : sample.cpu,
  );
  return measured === undefined ? undefined : { measured, met: measured <= limit.ratio };
}

/** Whether calls per second say something of the proxy: it was busy, and nothing else was busier. */
export function proxyWasBottleneck(outcome: Outcome, shared: boolean): boolean {
  const proxy = medianOf(outcome, (sample) => sample.proxyBusy);
  return proxy >= 0.9 && proxy > otherBusy(outcome, shared);
}

/** Whether latencies say something of the proxy: generator and backend had time left. */
export function latencyCounts(outcome: Outcome, shared: boolean): boolean {
  return otherBusy(outcome, shared) < 0.8;
}

/** How busy the core of generator and backend was, or the busier one of their two. */
function otherBusy(outcome: Outcome, shared: boolean): number {
  return medianOf(outcome, ({ generatorBusy, backendBusy }) =>
    shared ? generatorBusy + backendBusy : Math.max(generatorBusy, backendBusy),
  );
}
