/** How a call travelled; `side` is plain HTTP on the side lane. */
export type Lane = "relay" | "translate" | "local" | "reject" | "side";

/** All calls of one method in one lane. */
export interface CallSeries {
  readonly method: string;
  readonly lane: Lane;
  /** Calls by gRPC status code, 0 to 16. */
  readonly codes: readonly number[];
  /** Calls by duration: `buckets[i]` took at most `DURATION_BOUNDS[i]` seconds and more than the bound before; the last has no bound. */
  readonly buckets: readonly number[];
  /** Seconds of all calls together. */
  readonly seconds: number;
}

/** Upper bounds of the latency histogram in seconds: from a cached look-up to a build action of an hour. */
export const DURATION_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600,
];

/** gRPC status codes are 0 to 16. */
const CODES = 17;
const UNKNOWN = 2;
/** Methods that get a name however their calls end. */
const NAMED_AT_ONCE = 64;
/** Methods that get a name because a call of theirs succeeded, the former included: callers cannot invent those. */
const NAMED_AT_MOST = 256;
const LONGEST_NAME = 200;
const OTHER = "other";

interface Series {
  readonly codes: number[];
  readonly buckets: number[];
  seconds: number;
}

type Lanes = { [lane in Lane]?: Series };

function emptySeries(): Series {
  return {
    codes: new Array<number>(CODES).fill(0),
    buckets: new Array<number>(DURATION_BOUNDS.length + 1).fill(0),
    seconds: 0,
  };
}

function addAll(into: number[], from: readonly number[]): void {
  for (let i = 0; i < into.length; i++) into[i]! += from[i] ?? 0;
}

/** Calls by method, lane, status and duration, with a bounded number of methods whatever callers send. */
export class CallTable {
  private readonly methods = new Map<string, Lanes>();
  private readonly other: Lanes = {};

  /** Counts one call; see `Metrics.callEnded`. */
  add(method: string, lane: Lane, code: number, seconds: number): void {
    const lanes = this.methods.get(method) ?? this.admit(method, code);
    lanes[lane] ??= emptySeries();
    const series = lanes[lane];
    series.codes[code >= 0 && code < CODES ? code : UNKNOWN]!++;
    let bucket = 0;
    while (bucket < DURATION_BOUNDS.length && seconds > DURATION_BOUNDS[bucket]!) bucket++;
    series.buckets[bucket]!++;
    series.seconds += seconds;
  }

  private admit(method: string, code: number): Lanes {
    const room = code === 0 ? NAMED_AT_MOST : NAMED_AT_ONCE;
    if (this.methods.size >= room || method.length > LONGEST_NAME) return this.other;
    const lanes: Lanes = {};
    this.methods.set(method, lanes);
    return lanes;
  }

  /** A copy of every series, `other` last. */
  snapshot(): CallSeries[] {
    const all: CallSeries[] = [];
    for (const [method, lanes] of [...this.methods, [OTHER, this.other] as const]) {
      for (const [lane, series] of Object.entries(lanes)) {
        all.push({
          method,
          lane: lane as Lane,
          codes: [...series.codes],
          buckets: [...series.buckets],
          seconds: series.seconds,
        });
      }
    }
    return all;
  }

  /** The series of several tables, those of the same method and lane added up. */
  static merge(tables: readonly (readonly CallSeries[])[]): CallSeries[] {
    const merged = new Map<string, { method: string; lane: Lane } & Series>();
    for (const { method, lane, codes, buckets, seconds } of tables.flat()) {
      const key = `${lane} ${method}`;
      let into = merged.get(key);
      if (into === undefined) {
        into = { method, lane, ...emptySeries() };
        merged.set(key, into);
      }
      addAll(into.codes, codes);
      addAll(into.buckets, buckets);
      into.seconds += seconds;
    }
    return [...merged.values()];
  }
}
