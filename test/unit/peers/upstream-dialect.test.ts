import assert from "node:assert/strict";
import { test } from "node:test";
import { readAdvertised } from "../../../src/peers/advertised.ts";
import { upstreamDialect } from "../../../src/peers/upstream-dialect.ts";
import { since } from "../../../src/spec/ledger.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { SAFE_DIALECT } from "../../../src/upstream/dialect.ts";

const nothing = {
  level: null,
  missingMethods: [],
  digestFunctions: [],
  functionSegment: null,
  advertised: null,
  facts: {},
} as const;

test("an upstream of which nothing is known is spoken to as every one understands", () => {
  assert.deepEqual(upstreamDialect(nothing), SAFE_DIALECT);
});

test("what it is known to have counts: its functions, its batch limit", () => {
  const advertised = { ...readAdvertised(Buffer.alloc(0)), statesStore: true, maxBatchBytes: 1000 };
  const dialect = upstreamDialect({ ...nothing, digestFunctions: [9, 1], advertised });
  assert.deepEqual([dialect.digestFunctions, dialect.maxBatchBytes], [[9, 1], 1000]);
  // It says nothing of methods.
  assert.deepEqual([dialect.batchRead, dialect.batchUpdate], [false, false]);
});

test("the limits that its profile knows of hold, and what it announces counts more", () => {
  const evidence = "the test";
  const facts = { messageLimit: { is: 2 << 20, evidence }, batchLimit: { announced: 65_536, evidence } };
  const known = upstreamDialect({ ...nothing, facts });
  assert.deepEqual([known.maxMessageBytes, known.maxBatchBytes], [2 << 20, 65_536]);
  const nowhere = readAdvertised(Buffer.alloc(0));
  assert.equal(upstreamDialect({ ...nothing, facts, advertised: nowhere }).maxBatchBytes, 65_536);
  const advertised = { ...nowhere, statesStore: true, maxBatchBytes: 1000 };
  assert.equal(upstreamDialect({ ...nothing, facts, advertised }).maxBatchBytes, 1000);
});

test("batches go where their methods are, name by name", () => {
  const path = "/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchReadBlobs";
  const dialect = upstreamDialect({ ...nothing, level: "2.0", missingMethods: [path] });
  assert.deepEqual([dialect.batchRead, dialect.batchUpdate], [false, true]);
});

test("the segment for a digest function is written from the level on that has it", () => {
  const first = LEVELS.indexOf(since("behaviour:function-segment"));
  for (const [rank, level] of LEVELS.entries()) {
    assert.equal(upstreamDialect({ ...nothing, level }).functionSegment, rank >= first, level);
  }
});

test("the segment is written as well where a profile says so, or functions are offered that need it", () => {
  const segment = (known: Partial<Parameters<typeof upstreamDialect>[0]>) =>
    upstreamDialect({ ...nothing, level: "2.3", ...known }).functionSegment;
  assert.equal(segment({ functionSegment: true }), true);
  assert.equal(segment({ digestFunctions: [1, 9] }), true);
  assert.equal(segment({ digestFunctions: [1, 2] }), false);
  assert.equal(segment({ functionSegment: false, level: "2.12" }), false);
});
