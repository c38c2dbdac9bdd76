import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeRuns } from "../../../scripts/reference/runs.ts";

/** Ranges given as `RANGE = LIKENESS`, merged, with where each run begins. */
function merged(...lines: readonly string[]): string[] {
  const ranges = lines.map((line) => ({ range: line.split(" = ")[0]!, like: line.split(" = ")[1]! }));
  return mergeRuns(ranges, ({ like }) => like).map(({ first, range }) => `${range} = ${first.like}`);
}

test("neighbours that are alike become one range, others stay", () => {
  assert.deepEqual(merged("1.0 to 1.4 = a", "1.5 to 1.9 = a", "2.0 = b", "from 2.1 = a"), [
    "1.0 to 1.9 = a",
    "2.0 = b",
    "from 2.1 = a",
  ]);
});

test("open ends stay open", () => {
  assert.deepEqual(merged("up to 5 = a", "6 = a"), ["up to 6 = a"]);
  assert.deepEqual(merged("up to 5 = a", "from 6 = a"), [" = a"]);
  assert.deepEqual(merged("6 = a", "from 7 = a"), ["from 6 = a"]);
});

test("a short version stands for all that begin with it", () => {
  assert.deepEqual(merged("4, from 4.1 = a", "5.0 = a"), ["4.1 to 5.0 = a"]);
  assert.deepEqual(merged("5.0 = a", "5, from 5.1 = a"), ["5 = a"]);
  assert.deepEqual(merged("8.0 to 8.4 = a", "8, from 8.7 = a"), ["8 = a"]);
});

test("a range alone, or none, is as it was", () => {
  assert.deepEqual(merged("5, from 5.1 = a"), ["5, from 5.1 = a"]);
  assert.deepEqual(merged(), []);
});
