import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../src/plan/run-hooks.ts";
import { codec } from "../../src/spec/codec.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { client, plan, server } from "../translators/support.ts";

// Law: what is announced is native, or a hook serves it. No hook adds a function, a compressor or a bit yet: lenses may only take away and reorder.

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
