import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cpuInterval,
  type LoadResult,
  latencyCounts,
  median,
  type Outcome,
  proxyWasBottleneck,
  ratio,
  verdict,
} from "../../../bench/figures.ts";
import { LOADS } from "../../../bench/loads.ts";
import type { Sample } from "../../../bench/measure.ts";

const QUIET: Sample = {
  cpu: 1,
  calls: 1,
  rate: 1,
  p50: 1,
  p99: 1,
  proxyBusy: 0.95,
  generatorBusy: 0.3,
  backendBusy: 0.3,
};

function outcome(...samples: Partial<Sample>[]): Outcome {
  return {
    samples: samples.map((sample) => ({ ...QUIET, ...sample })),
    mebibytes: [],
    failures: [],
    failure: null,
  };
}

function result(id: string, outcomes: Record<string, Outcome>): LoadResult {
  return { load: LOADS.find((load) => load.id === id)!, outcomes: new Map(Object.entries(outcomes)) };
}

test("a median is the middle of the sorted values, or between the middle two", () => {
  assert.equal(median([9, 1, 10]), 9);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test("a ratio compares what ran in the same round", () => {
  const mine = outcome({ cpu: 1 }, { cpu: 20 }, { cpu: 3 });
  const peer = outcome({ cpu: 2 }, { cpu: 40 }, { cpu: 4 });
  const seen = result("download", { bridge: mine, nghttpx: peer });
  assert.equal(
    ratio(seen, "bridge", "nghttpx", ({ cpu }) => cpu),
    0.5,
  );
});

test("there is no ratio to a target that failed, has no proxy or did not run", () => {
  const failed: Outcome = { samples: [], mebibytes: [], failures: [], failure: "grpc-status 14" };
  const seen = result("download", { bridge: outcome({}), nghttpx: failed, direct: outcome({ cpu: null }) });
  for (const peer of ["nghttpx", "direct", "nginx"]) {
    assert.equal(
      ratio(seen, "bridge", peer, ({ cpu }) => cpu),
      undefined,
      peer,
    );
  }
});

test("a goal is met at its limit and missed above", () => {
  const goal = {
    load: "upload",
    measure: "cpu",
    target: "bridge",
    limit: { peer: "nghttpx", ratio: 0.5 },
  } as const;
  const at = (cpu: number) =>
    verdict(goal, [result("upload", { bridge: outcome({ cpu }), nghttpx: outcome({ cpu: 2 }) })]);
  assert.deepEqual(at(1), { measured: 0.5, met: true });
  assert.deepEqual(at(1.5), { measured: 0.75, met: false });
  assert.equal(verdict(goal, []), undefined);
});

test("memory is compared with a bound of its own", () => {
  const goal = {
    load: "stalled-socket",
    measure: "memory",
    target: "bridge",
    limit: { peer: null, mebibytes: 100 },
  } as const;
  const seen = (mebibytes: number[]) =>
    verdict(goal, [
      result("stalled-socket", { bridge: { samples: [], mebibytes, failures: [], failure: null } }),
    ]);
  assert.deepEqual(seen([300, 90, 80]), { measured: 90, met: true });
  assert.deepEqual(seen([101]), { measured: 101, met: false });
});

test("calls per second count only where the proxy was busier than all else", () => {
  assert.equal(proxyWasBottleneck(outcome({}), true), true);
  assert.equal(proxyWasBottleneck(outcome({ proxyBusy: 0.85 }), true), false);
  const loaded = outcome({ generatorBusy: 0.5, backendBusy: 0.48 });
  assert.equal(proxyWasBottleneck(loaded, true), false, "generator and backend fill the core they share");
  assert.equal(proxyWasBottleneck(loaded, false), true, "they have a core each");
});

test("latencies count only where generator and backend had time left", () => {
  const loaded = outcome({ generatorBusy: 0.5, backendBusy: 0.3 });
  assert.equal(latencyCounts(loaded, true), false);
  assert.equal(latencyCounts(loaded, false), true);
});

test("the CPU of two builds is compared within rounds, with an interval", () => {
  const of = (...figures: number[]) => outcome(...figures.map((cpu) => ({ cpu })));
  const same = result("unary-1", { bridge: of(1, 2, 4), base: of(1, 2, 4) });
  assert.deepEqual(cpuInterval(same, "bridge", "base"), { mean: 1, from: 1, to: 1 });
  const twice = cpuInterval(
    result("unary-1", { bridge: of(2, 4.4, 7.2), base: of(1, 2, 4) }),
    "bridge",
    "base",
  )!;
  assert.ok(Math.abs(twice.mean - (2 * 2.2 * 1.8) ** (1 / 3)) < 1e-9);
  // By hand: logarithms 0.693, 0.788, 0.588; standard error 0.058; t with 2 degrees of freedom 4.30.
  assert.ok(Math.abs(twice.from - 1.55) < 0.02 && Math.abs(twice.to - 2.56) < 0.03, JSON.stringify(twice));
  assert.equal(
    cpuInterval(result("unary-1", { bridge: of(1, 1), base: of(1, 1) }), "bridge", "base"),
    undefined,
  );
});
