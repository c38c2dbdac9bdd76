import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientFacts, ServerFacts } from "../../../src/peers/profile.ts";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  FIND_MISSING_BLOBS,
  GET_CAPABILITIES,
} from "../../../src/translators/methods.ts";
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

const V2 = "build.bazel.remote.execution.v2";
const LIMITED = { batchLimit: { announced: 65_536, evidence } };

/** Whether a call that begins so is opened: of the first message, these bytes of so many have come. */
function opens(path: string, bytes: Buffer, length = bytes.length, facts: ServerFacts = LIMITED): boolean {
  const method = plan(client({ level: "2.3" }), server({ level: "2.3", facts })).methods.get(path)!;
  return method.opens!({ bytes, whole: bytes.length === length, length });
}

const digests = (...sizes: number[]) =>
  sizes.map((size) => ({ hash: "ab".repeat(32), sizeBytes: BigInt(size) }));

test("the length of an update tells whether it is opened, before its content has come", () => {
  const beginning = Buffer.alloc(1000);
  assert.equal(opens(BATCH_UPDATE_BLOBS, beginning, 65_536), false);
  assert.equal(opens(BATCH_UPDATE_BLOBS, beginning, 65_537), true);
  const blobs = { batchLimit: { announced: MIB, counts: "blobs", evidence } } as const;
  assert.equal(opens(BATCH_UPDATE_BLOBS, beginning, MIB, blobs), false);
  const none = { batchLimit: { announced: 0, counts: "blobs", evidence } } as const;
  assert.equal(opens(BATCH_UPDATE_BLOBS, beginning, 4 * MIB, none), false);
  assert.equal(opens(BATCH_UPDATE_BLOBS, beginning, 4 * MIB + 1, none), true);
  const nothing = { messageLimit: { is: 4 * MIB, evidence } };
  assert.equal(opens(BATCH_UPDATE_BLOBS, beginning, 4 * MIB, nothing), false);
  assert.equal(opens(BATCH_UPDATE_BLOBS, beginning, 4 * MIB + 1, nothing), true);
});

test("the length of a list of digests does, whatever the limit of batches", () => {
  assert.equal(opens(FIND_MISSING_BLOBS, Buffer.alloc(0), 4 * MIB), false);
  assert.equal(opens(FIND_MISSING_BLOBS, Buffer.alloc(0), 4 * MIB + 1), true);
});

test("the sizes of what a read asks for tell, where all of them are there; what is broken is for the upstream to refuse", () => {
  const read = (...sizes: number[]) =>
    codec().encode(`${V2}.BatchReadBlobsRequest`, { digests: digests(...sizes) });
  assert.equal(opens(BATCH_READ_BLOBS, read()), false);
  assert.equal(opens(BATCH_READ_BLOBS, read(30_000, 35_000)), false);
  assert.equal(opens(BATCH_READ_BLOBS, read(30_000, 35_500)), true);
  assert.equal(opens(BATCH_READ_BLOBS, read(1).subarray(0, 20), 20_000), true);
  assert.equal(opens(BATCH_READ_BLOBS, Buffer.from("ffff", "hex")), false);
});

test("a client that is known to keep to limits, or a peer that is only a level, is not looked at", () => {
  const methods = (facts: ClientFacts, of: ServerFacts | undefined = LIMITED) => {
    const pair = plan(client({ level: "2.3", facts }), server({ level: "2.3", ...(of && { facts: of }) }));
    return [...pair.methods.keys()].filter((path) => path !== GET_CAPABILITIES);
  };
  const divided = { findMissing: { divided: true, evidence } };
  assert.deepEqual(methods(divided), []);
  const siso = { ...divided, batchLimit: { counts: "blobs", evidence } } as const;
  assert.equal(methods(siso).length, 3);
  assert.equal(methods({}).length, 3);
  assert.equal(plan(client({ level: "2.3" }), server({ level: "2.3" })).methods.size, 0);
});
