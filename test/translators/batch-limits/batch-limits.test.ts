import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerFacts } from "../../../src/peers/profile.ts";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { client, plan, server } from "../support.ts";

const NAME = "build.bazel.remote.execution.v2.ServerCapabilities";
const MIB = 1 << 20;
const evidence = "the test";

const announced = (limit: number): Buffer =>
  codec().encode(NAME, {
    cacheCapabilities: { maxBatchTotalSizeBytes: BigInt(limit), digestFunctions: [1] },
  });

/** What a client is told by a server that announces `limit` and of which `facts` are known. */
function told(limit: number, facts: ServerFacts = {}): number {
  const seen = announce(plan(client({ level: null }), server({ level: "2.3", facts })), announced(limit));
  return Number(codec().decode(NAME, seen).cacheCapabilities?.maxBatchTotalSizeBytes);
}

test("given a server that announces no limit, then the client is told three quarters of the common 4 MiB", () => {
  assert.equal(told(0), 3 * MIB);
});

test("given a profile with the limit, then that one is told in place of none", () => {
  assert.equal(told(0, { batchLimit: { announced: 2_000_000, evidence } }), 2_000_000);
  assert.equal(told(0, { batchLimit: { announced: 0, evidence } }), 3 * MIB);
});

test("given a profile with the largest message, then a quarter of it is left for all that is no blob", () => {
  assert.equal(told(0, { messageLimit: { is: 2 * MIB, evidence } }), 1.5 * MIB);
  assert.equal(told(4 * MIB, { messageLimit: { is: 4 * MIB, evidence } }), 3 * MIB);
  assert.equal(told(MIB, { messageLimit: { is: 4 * MIB, evidence } }), MIB);
});

test("given a limit that counts the whole message, as Buildfarm's does, then the client that counts blobs is told less", () => {
  assert.equal(told(4 * MIB, { batchLimit: { announced: 4 * MIB, counts: "message", evidence } }), 3 * MIB);
  assert.equal(told(4 * MIB, { batchLimit: { announced: 4 * MIB, counts: "blobs", evidence } }), 4 * MIB);
});

test("given a limit that holds, then the answer is the very same", () => {
  const capabilities = announced(65536);
  assert.equal(announce(plan(client({ level: null }), server({ level: "2.3" })), capabilities), capabilities);
});

test("given a server without a store, then none is announced for it", () => {
  const execution = codec().encode(NAME, { executionCapabilities: { digestFunction: 1, execEnabled: true } });
  assert.equal(announce(plan(client({ level: null }), server({ level: "2.3" })), execution), execution);
});

test("given a part that comes in two pieces, then the limit is told once and a second time changes nothing", () => {
  const pair = plan(client({ level: null }), server({ level: "2.3" }));
  const once = announce(pair, Buffer.concat([announced(0), announced(0)]));
  assert.equal(Number(codec().decode(NAME, once).cacheCapabilities?.maxBatchTotalSizeBytes), 3 * MIB);
  assert.equal(announce(pair, once), once);
});

test("given peers of one revision, then the lens runs if either profile speaks of the limit", () => {
  assert.equal(plan(client({ level: "2.3" }), server({ level: "2.3" })).lenses.length, 0);
  const literal = client({ level: "2.3", facts: { batchLimit: { unstated: 0, evidence } } });
  assert.equal(plan(literal, server({ level: "2.3" })).lenses.length, 1);
  const none = server({ level: "2.3", facts: { batchLimit: { announced: 0, evidence } } });
  assert.equal(plan(client({ level: "2.3" }), none).lenses.length, 1);
});
