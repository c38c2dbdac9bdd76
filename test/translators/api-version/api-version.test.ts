import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiWindow } from "../../../src/peers/version-rule.ts";
import { announce } from "../../../src/plan/run-hooks.ts";
import { GET_CAPABILITIES } from "../../../src/translators/methods.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server } from "../support.ts";

// ServerCapabilities: a cache part (1), deprecated 2.0 (3), low 2.3 (4), high 2.11.1-rc1 (5), and a field of nobody's (99).
const CACHE = "0a 02 20 0a";
const DEPRECATED = "1a 02 08 02";
const LOW = "22 04 08 02 10 03";
const HIGH = "2a 0b 08 02 10 0b 18 01 22 03 72 63 31";
const UNKNOWN = "9a 06 03 61 62 63";
const CAPABILITIES = hex([CACHE, DEPRECATED, LOW, HIGH, UNKNOWN].join(""));

const told = (window: ApiWindow, capabilities = CAPABILITIES, policy = {}): Buffer =>
  announce(plan(client(), server(), policy, window), capabilities);

test("given a newer server, when an older client is to be told 2.0 to 2.2, then it is, and nothing else changes", () => {
  assert.deepEqual(
    told({ deprecated: null, low: [2, 0], high: [2, 2] }),
    hex([CACHE, "22 02 08 02", "2a 04 08 02 10 02", UNKNOWN].join("")),
  );
});

test("given an older server without versions, when a newer client is to be told some, then they are filled in", () => {
  assert.deepEqual(
    told({ deprecated: null, low: [2, 0], high: [2, 11] }, hex(CACHE)),
    hex([CACHE, "22 02 08 02", "2a 04 08 02 10 0b"].join("")),
  );
});

test("given versions that are those announced, then the answer is the very same, with patch and prerelease", () => {
  assert.equal(told({ deprecated: [2, 0], low: [2, 3], high: [2, 11] }), CAPABILITIES);
});

test("given one version that differs, then the others keep their bytes", () => {
  assert.deepEqual(
    told({ deprecated: [2, 0], low: [2, 0], high: [2, 11] }),
    hex([CACHE, DEPRECATED, "22 02 08 02", HIGH, UNKNOWN].join("")),
  );
});

test("given a version that comes twice, then it is told once", () => {
  const twice = hex([LOW, LOW].join(""));
  assert.deepEqual(told({ deprecated: null, low: [2, 0], high: null }, twice), hex("22 02 08 02"));
});

test("a second time changes nothing", () => {
  const window = { deprecated: [2, 0], low: [2, 1], high: [2, 12, 3] };
  const once = told(window);
  assert.equal(told(window, once), once);
});

test("given peers that agree, then only a window opens the call", () => {
  assert.equal(plan(client(), server()).lenses.length, 0);
  const withWindow = plan(client(), server(), {}, { deprecated: null, low: [2, 0], high: [2, 2] });
  assert.equal(withWindow.lenses.length, 1);
  assert.deepEqual(withWindow.methods.get(GET_CAPABILITIES)?.features, ["api-version"]);
});

test("given the policy off, then the server's own versions are told", () => {
  const off = { "api-version": "off" } as const;
  assert.equal(told({ deprecated: null, low: [2, 0], high: [2, 2] }, CAPABILITIES, off), CAPABILITIES);
});
