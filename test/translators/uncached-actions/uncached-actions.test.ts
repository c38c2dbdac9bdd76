import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { serverDialect } from "../../support/known-peers.ts";
import { messages, readAction } from "../actions.ts";
import { client, plan, server, steps, transformed } from "../support.ts";

const NONCE = Buffer.from("0123456789abcdef");
const policy = { "uncached-actions": "require" } as const;
const required = plan(client(), server({ level: "2018-11" }), policy);

const wantsNonce = (pair: Plan, given: ReturnType<typeof messages>) =>
  steps(pair).some(({ nonce }) => nonce?.(given) === true);

test("given a server that may merge runs, then nothing is done about it by itself", () => {
  const { decisions } = plan(client(), server({ level: "2018-11" }));
  const row = decisions.find(({ feature, from }) => feature === "uncached-actions" && from === "apart");
  assert.deepEqual([row?.verdict, row?.to], ["pass", "merged"]);
});

test("given the policy that requires it, then actions that are not to be cached get a nonce, and no others", () => {
  const uncached = messages({ doNotCache: true });
  assert.ok(wantsNonce(required, uncached));
  assert.ok(!wantsNonce(required, messages({ timeout: { seconds: 3n } })));
  const { action } = transformed(required, uncached, NONCE);
  assert.deepEqual(action, messages({ doNotCache: true, salt: NONCE }).action);
});

test("the client's own salt stays in front, and the same nonce makes the same action", () => {
  const given = messages({ doNotCache: true, salt: Buffer.from("mine") });
  const { action } = transformed(required, given, NONCE);
  assert.deepEqual(readAction(action).salt, Buffer.concat([Buffer.from("mine"), NONCE]));
  assert.deepEqual(transformed(required, given, NONCE).action, action);
});

test("without a nonce, and without do_not_cache, it is the very buffer", () => {
  const uncached = messages({ doNotCache: true });
  assert.equal(transformed(required, uncached).action, uncached.action);
  const cached = messages({ salt: Buffer.from("mine") });
  assert.equal(transformed(required, cached, NONCE).action, cached.action);
});

test("given a server that runs each, then there is nothing to require", () => {
  const pair = plan(client(), server({ level: "2.0" }), policy);
  assert.ok(!pair.methods.get(EXECUTE)?.features.includes("uncached-actions"));
});

test("servers that merged runs in spite of do_not_cache are known by their profiles", () => {
  const reads = (name: string) => serverDialect(name).features["uncached-actions"]?.reads;
  assert.deepEqual(reads("buildbarn@2019-03"), ["merged"]);
  assert.deepEqual(reads("buildbarn@2020-03"), ["apart", "merged"]);
  assert.deepEqual(reads("buildbuddy@2024"), ["merged"]);
  assert.deepEqual(reads("buildbuddy@2025-08"), ["apart", "merged"]);
});
