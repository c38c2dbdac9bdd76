import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../src/plan/plan.ts";
import { announce, editRequest } from "../../src/plan/run-hooks.ts";
import { codec } from "../../src/spec/codec.ts";
import { knows } from "../../src/spec/ledger.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import {
  BATCH_UPDATE_BLOBS,
  FIND_MISSING_BLOBS,
  READ,
  SPLICE_BLOB,
  SPLIT_BLOB,
  UPDATE_ACTION_RESULT,
} from "../../src/translators/methods.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { call, client, plan, server } from "../translators/support.ts";

// Law: what is announced is native, or a hook serves it. Where nothing is opted into, no hook adds a function, a compressor or a bit: of those, lenses
// may only take away. The one exception is for clients that stop where they may not write results, and for nobody else.

const NAME = "build.bazel.remote.execution.v2.ServerCapabilities";
const FUNCTIONS = DIGEST_FUNCTIONS.map(({ number }) => number).reverse();

/** Everything a server can announce, as one of that level does. */
function capabilities(level: (typeof LEVELS)[number]): Buffer {
  return codec(level).encode(NAME, {
    cacheCapabilities: {
      digestFunctions: FUNCTIONS,
      supportedCompressors: [1, 2, 3],
      supportedBatchUpdateCompressors: [1, 3],
      splitBlobSupport: true,
      spliceBlobSupport: true,
      maxBatchTotalSizeBytes: 4_000_000n,
      actionCacheUpdateCapabilities: { updateEnabled: true },
    },
    executionCapabilities: { digestFunction: FUNCTIONS[0]!, digestFunctions: FUNCTIONS, execEnabled: true },
    lowApiVersion: { major: 2 },
    highApiVersion: { major: 2, minor: 3 },
  });
}

/** What the capabilities promise, each as one text. */
function promises(bytes: Buffer): Set<string> {
  const { cacheCapabilities: cache, executionCapabilities: execution } = codec().decode(NAME, bytes);
  const all: string[] = [];
  const add = (what: string, values: readonly number[] = []): void => {
    for (const value of values) all.push(`${what} ${value}`);
  };
  add("digest function", cache?.digestFunctions);
  add("digest function", execution?.digestFunctions);
  add("digest function", execution === null ? [] : [execution.digestFunction]);
  add("compressor", cache?.supportedCompressors);
  add("batch compressor", cache?.supportedBatchUpdateCompressors);
  add("split", [Number(cache?.splitBlobSupport)]);
  add("splice", [Number(cache?.spliceBlobSupport)]);
  add("writes", [Number(cache?.actionCacheUpdateCapabilities?.updateEnabled)]);
  add("executes", [Number(execution?.execEnabled)]);
  return new Set(all);
}

for (const to of LEVELS) {
  test(`nothing is announced for a server of ${to} that it does not announce itself`, () => {
    const native = capabilities(to);
    const announced = promises(native);
    for (const from of LEVELS) {
      const seen = announce(plan(client({ level: from }), server({ level: to })), native);
      for (const promise of promises(seen))
        assert.ok(announced.has(promise), `${promise} for a client of ${from}`);
    }
  });
}

test("capabilities that a lens has changed are left alone by a second one, and unknown fields survive", () => {
  const unknown = Buffer.from("9a0603616263", "hex");
  for (const from of LEVELS) {
    const pair = plan(client({ level: from }), server());
    const once = announce(pair, Buffer.concat([capabilities("main"), unknown]));
    assert.equal(announce(pair, once), once, from);
    assert.ok(once.includes(unknown), from);
  }
});

const V2 = "build.bazel.remote.execution.v2";
const NAMES = ["", "zstd", "deflate", "brotli"];
const HASH = "ab".repeat(32);

/** A call that needs what is promised, or null where no call does. */
function callFor(promise: string): readonly [path: string, request: Buffer] | null {
  const [, what, number] = /^(.*) (\d+)$/.exec(promise)!;
  const value = Number(number);
  if (value === 0) return null;
  switch (what) {
    case "digest function":
      return [FIND_MISSING_BLOBS, codec().encode(`${V2}.FindMissingBlobsRequest`, { digestFunction: value })];
    case "compressor": {
      const resourceName = `compressed-blobs/${NAMES[value]}/${HASH}/7`;
      return [READ, codec().encode("google.bytestream.ReadRequest", { resourceName })];
    }
    case "batch compressor":
      return [
        BATCH_UPDATE_BLOBS,
        codec().encode(`${V2}.BatchUpdateBlobsRequest`, { requests: [{ compressor: value }] }),
      ];
    case "split":
      return [SPLIT_BLOB, codec().encode(`${V2}.SplitBlobRequest`, { instanceName: "main" })];
    case "splice":
      return [SPLICE_BLOB, codec().encode(`${V2}.SpliceBlobRequest`, { instanceName: "main" })];
    default:
      return null;
  }
}

async function isServed({ methods }: Plan, path: string, request: Buffer): Promise<boolean> {
  const method = methods.get(path);
  if (method === undefined) return true;
  if (method.lane === "reject") return false;
  return (await editRequest(method, request, call(path))) === request;
}

for (const to of LEVELS) {
  test(`a call that needs what a server of ${to} is announced to have goes through`, async () => {
    const everything = capabilities("main");
    for (const from of LEVELS) {
      for (const known of [
        { level: to, digestFunctions: FUNCTIONS },
        { level: to, digestFunctions: FUNCTIONS, missingMethods: [SPLIT_BLOB] },
        { level: to, digestFunctions: FUNCTIONS, forms: { chunking: { reads: ["whole"] } } },
        { level: to, digestFunctions: FUNCTIONS, forms: { "compressed-blobs": { reads: ["plain"] } } },
      ]) {
        const pair = plan(client({ level: from }), server(known));
        for (const promise of promises(announce(pair, everything))) {
          const needed = callFor(promise);
          if (needed !== null)
            assert.ok(await isServed(pair, ...needed), `${promise} for a client of ${from}`);
        }
      }
    }
  });
}

test("bits that the operator wants are announced to clients that know them, and the bridge answers the calls", () => {
  const nothing = codec().encode(NAME, { cacheCapabilities: { digestFunctions: [1] } });
  for (const to of LEVELS) {
    const lacking = server({
      level: to,
      missingMethods: [SPLIT_BLOB, SPLICE_BLOB],
      forms: { chunking: { reads: ["whole"] } },
    });
    for (const from of LEVELS) {
      const pair = plan(client({ level: from }), lacking, { chunking: "require" });
      const announced = promises(announce(pair, nothing));
      const isKnown = knows(from, "build.bazel.remote.execution.v2.ContentAddressableStorage.SplitBlob");
      for (const [bit, path] of [
        ["split 1", SPLIT_BLOB],
        ["splice 1", SPLICE_BLOB],
      ] as const) {
        assert.equal(announced.has(bit), isKnown, `${bit} for a client of ${from}`);
        if (isKnown) assert.equal(pair.methods.get(path)?.answers.length, 1, from);
      }
      const unasked = promises(announce(plan(client({ level: from }), lacking), nothing));
      assert.ok(!unasked.has("split 1") && !unasked.has("splice 1"), from);
    }
  }
});

test("that results may be written is announced against the truth to clients that stop without it, and their writes go through", async () => {
  const closed = codec().encode(NAME, { cacheCapabilities: { digestFunctions: [1] } });
  const facts = (isNeeded: boolean) => ({
    cacheWrites: { made: true, needed: isNeeded, evidence: "the test" },
  });
  for (const from of LEVELS) {
    const stops = plan(client({ level: from, facts: facts(true) }), server({ level: from }));
    assert.ok(promises(announce(stops, closed)).has("writes 1"), from);
    const write = codec().encode(`${V2}.UpdateActionResultRequest`, {
      actionDigest: { hash: HASH, sizeBytes: 7n },
    });
    assert.ok(await isServed(stops, UPDATE_ACTION_RESULT, write), from);
    const goesOn = plan(client({ level: from, facts: facts(false) }), server({ level: from }));
    assert.equal(announce(goesOn, closed), closed, from);
  }
});
