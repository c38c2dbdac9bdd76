import assert from "node:assert/strict";
import { test } from "node:test";
import { Holding } from "../../../src/translators/holding.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { TestBudget } from "../../support/test-budget.ts";

test("what is held is counted, what there is no room for is refused, and closing gives all back", () => {
  const budget = new TestBudget(1000);
  const holding = new Holding(budget);
  holding.take(600);
  holding.give(100);
  assert.equal(budget.free, 500);
  assert.throws(
    () => holding.take(501),
    (error) => error instanceof UpstreamError && error.code === Status.RESOURCE_EXHAUSTED,
  );
  holding.take(500);
  assert.equal(budget.free, 0);
  holding.close();
  assert.equal(budget.free, 1000);
  holding.close();
  assert.equal(budget.free, 1000);
});
