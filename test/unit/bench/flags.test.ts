import assert from "node:assert/strict";
import { test } from "node:test";
import { readFlags } from "../../../bench/flags.ts";
import { GOALS } from "../../../bench/goals.ts";
import { LOADS } from "../../../bench/loads.ts";

const cores = ["--cores", "0,1,1"];

test("without flags everything is measured and the document is written", () => {
  const flags = readFlags(cores)!;
  assert.deepEqual(flags.loads, LOADS);
  assert.equal(flags.rounds, 5);
  assert.equal(flags.out, "docs/benchmarks.md");
});

test("a part of it is only printed, unless a file is named", () => {
  assert.equal(readFlags([...cores, "--quick"])!.out, null);
  assert.equal(readFlags([...cores, "--loads", "upload"])!.out, null);
  assert.equal(readFlags([...cores, "--loads", "upload", "--out", "x.md"])!.out, "x.md");
});

test("loads about actions are a part of it", () => {
  const all = readFlags(cores)!;
  assert.ok(all.actionLoads.length > 0);
  const actions = readFlags([...cores, "--actions"])!;
  assert.deepEqual([actions.loads, actions.actionLoads], [[], all.actionLoads]);
  assert.equal(actions.out, "docs/benchmarks.md");
  const some = readFlags([...cores, "--loads", "upload,execute-1", "--trees", "10,30"])!;
  assert.deepEqual([some.loads.map(({ id }) => id), some.actionLoads], [["upload"], ["execute-1"]]);
  assert.deepEqual(some.trees, [10, 30]);
  assert.deepEqual(readFlags([...cores, "--targets", "nginx"])!.actionLoads, []);
});

test("other builds of the bridge have names", () => {
  const { bridges } = readFlags([...cores, "--bridge", "old=/build/old", "--bridge", "new=/build/new"])!;
  assert.deepEqual(
    [...bridges],
    [
      ["old", "/build/old"],
      ["new", "/build/new"],
    ],
  );
});

test("what is not understood is named", () => {
  assert.throws(() => readFlags(["--loads", "uplaod"]), /no load "uplaod"/);
  assert.throws(() => readFlags([...cores, "--rounds", "none"]), /--rounds takes a number above 0/);
  assert.throws(() => readFlags([...cores, "--bridge", "/build/old"]), /NAME=DIR/);
  assert.throws(() => readFlags(["--cores", "one"]), /P,G,B/);
});

test("every figure to reach belongs to a load", () => {
  for (const { load } of GOALS)
    assert.ok(
      LOADS.some(({ id }) => id === load),
      load,
    );
});
