import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { SPLIT_BLOB } from "../../../src/translators/methods.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server } from "../support.ts";

// CacheCapabilities: a batch limit (4), both bits (9, 10), an average of 64 KiB (11), 1 KiB as least size (12).
const CAPABILITIES = hex("0a 10 20 01 48 01 50 01 5a 04 08 80 80 04 62 02 08 01");

test("given an older version number, then the bits stay: the upstream serves the calls, or says so", () => {
  assert.equal(announce(plan(client(), server({ level: "2.3" })), CAPABILITIES), CAPABILITIES);
});

test("given a newer server, then an older client gets what it skips as it is", () => {
  assert.equal(announce(plan(client({ level: "2.3" }), server()), CAPABILITIES), CAPABILITIES);
});

test("given a profile without chunks, then calls are refused and nothing of them is announced", () => {
  const pair = plan(client(), server({ forms: { chunking: { reads: ["whole"] } } }));
  assert.equal(pair.methods.get(SPLIT_BLOB)?.lane, "reject");
  assert.deepEqual(announce(pair, CAPABILITIES), hex("0a 02 20 01"));
});

test("given a server that lacks SplitBlob only, then only its bit is taken away", () => {
  const pair = plan(client(), server({ missingMethods: [SPLIT_BLOB] }));
  assert.deepEqual(announce(pair, CAPABILITIES), hex("0a 0e 20 01 50 01 5a 04 08 80 80 04 62 02 08 01"));
});
