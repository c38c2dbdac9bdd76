import assert from "node:assert/strict";
import { test } from "node:test";
import { levelServer } from "../../../src/peers/server-dialect.ts";
import { COST_TEXTS, costOf, costOfMethod, planOf } from "../../../src/plan/cost.ts";
import { type MethodPlan, type Plan, RELAYED } from "../../../src/plan/plan.ts";
import { Planner } from "../../../src/plan/planner.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { GET_CAPABILITIES } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { clientLine, serverDialect } from "../../support/known-peers.ts";

const planner = new Planner(TRANSLATORS, {});

const head = { field: 1, rewrite: (value: Buffer | null) => value };
const scan = () => ({ field: () => 0, value: () => {}, complete: () => {} });

test("a method costs what is done to its calls", () => {
  assert.equal(costOfMethod(RELAYED), "none");
  assert.equal(costOfMethod({ ...RELAYED, heads: [head] }), "head");
  assert.equal(costOfMethod({ ...RELAYED, heads: [head], scans: [scan] }), "scan");
  assert.equal(costOfMethod({ ...RELAYED, lane: "translate", scans: [scan] }), "opened");
  assert.equal(costOfMethod({ ...RELAYED, lane: "translate", opens: () => false }), "some");
  assert.equal(costOfMethod({ ...RELAYED, lane: "local" }), "opened");
  assert.equal(costOfMethod({ ...RELAYED, lane: "reject", scans: [scan] }), "none");
});

test("a plan costs the dearest of it, but for the answer to GetCapabilities", () => {
  const { pair } = planner.plan("2.3", resolveDialect(levelServer("2.3"), TRANSLATORS));
  const nothing: Plan = {
    pair,
    methods: new Map(),
    content: [],
    checks: [],
    lenses: [],
    decisions: [],
    metadata: [],
  };
  const methods = (...plans: [string, MethodPlan][]) => ({ ...nothing, methods: new Map(plans) });
  assert.equal(costOf(nothing), "none");
  assert.equal(costOf(methods(["/a", RELAYED], ["/b", { ...RELAYED, scans: [scan] }])), "scan");
  assert.equal(costOf(methods([GET_CAPABILITIES, { ...RELAYED, lane: "local" }])), "none");
  assert.equal(costOf({ ...nothing, content: [{ result: () => null }] }), "none");
  assert.equal(costOf({ ...nothing, content: [{ action: () => null }] }), "reads");
});

test("every class has a text", () => {
  assert.deepEqual(Object.keys(COST_TEXTS), ["none", "head", "scan", "some", "opened", "reads"]);
});

/** What one form of a feature costs between a client and a server. */
function cost(client: string, server: string, feature: string, from: string): string {
  const plan = planner.plan([clientLine(client)], serverDialect(server));
  const decision = plan.decisions.find(
    (made) => made.feature === feature && made.from === from && made.verdict !== "native",
  )!;
  const translator = TRANSLATORS.find((one) => one.feature.id === feature)!;
  return costOf(planOf(decision, translator, plan, {}));
}

test("a decision costs what it does by itself, whatever else is done to the same methods", () => {
  assert.equal(cost("buck2", "buildbarn@2026-03-26", "action-platform", "command"), "reads");
  assert.equal(cost("buck2", "buildbarn@2026-03-26", "compressed-blobs", "zstd"), "some");
  assert.equal(cost("buck2", "buildbarn@2026-03-26", "get-tree", "offered"), "opened");
  assert.equal(cost("reclient", "buildbarn", "output-symlinks", "unified"), "opened");
});

test("where a level meets itself nothing costs anything", () => {
  for (const level of ["2018-11", "2.0", "2.3", "2.12", "main"] as const satisfies readonly Level[]) {
    assert.equal(costOf(planner.plan(level, resolveDialect(levelServer(level), TRANSLATORS))), "none", level);
  }
});
