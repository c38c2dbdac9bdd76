import assert from "node:assert/strict";
import { test } from "node:test";
import { PlanCache } from "../../../src/plan/plan-cache.ts";
import { GET_TREE } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { client, server } from "../../translators/support.ts";

test("dialects that say the same share a plan", () => {
  const plans = new PlanCache(TRANSLATORS, {});
  const first = plans.get({ client: client({ level: "2.3" }), server: server({ level: "2.0" }) });
  assert.equal(plans.get({ client: client({ level: "2.3" }), server: server({ level: "2.0" }) }), first);
  assert.notEqual(plans.get({ client: client({ level: "2.4" }), server: server({ level: "2.0" }) }), first);
});

test("the evidence counts as well: it decides what is refused", () => {
  const plans = new PlanCache(TRANSLATORS, {});
  const pair = (source: "advertised" | "profile") => ({
    client: client(),
    server: server({ level: "2.0", source }),
  });
  assert.notEqual(plans.get(pair("advertised")), plans.get(pair("profile")));
});

test("the longest unused plan goes first", () => {
  const plans = new PlanCache(TRANSLATORS, {}, 2);
  const pair = (level: "2.0" | "2.1" | "2.2") => ({ client: client({ level }), server: server() });
  const oldest = plans.get(pair("2.0"));
  const other = plans.get(pair("2.1"));
  assert.equal(plans.get(pair("2.0")), oldest);
  plans.get(pair("2.2"));
  assert.equal(plans.get(pair("2.0")), oldest);
  assert.notEqual(plans.get(pair("2.1")), other);
});

test("a method that a server lacks makes another plan", () => {
  const plans = new PlanCache(TRANSLATORS, {});
  const pair = (missingMethods: string[]) => ({ client: client(), server: server({ missingMethods }) });
  assert.notEqual(plans.get(pair([])), plans.get(pair([GET_TREE])));
});
