import assert from "node:assert/strict";
import { test } from "node:test";
import { levelOf, readAdvertised } from "../../../src/peers/advertised.ts";
import { codec } from "../../../src/spec/codec.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { WireError } from "../../../src/wire/wire-error.ts";

const SERVER_CAPABILITIES = "build.bazel.remote.execution.v2.ServerCapabilities";
const semVer = (major: number, minor: number) => ({ major, minor, patch: 0, prerelease: "" });

test("what a server of the newest level announces is read", () => {
  const main = codec("main");
  const message = main.encode(
    SERVER_CAPABILITIES,
    main.create(SERVER_CAPABILITIES, {
      cacheCapabilities: {
        digestFunctions: [1, 9, 2],
        actionCacheUpdateCapabilities: { updateEnabled: true },
        maxBatchTotalSizeBytes: 4_194_304n,
        symlinkAbsolutePathStrategy: 2,
        supportedCompressors: [1, 0],
        supportedBatchUpdateCompressors: [2],
        maxCasBlobSizeBytes: 5_000_000_000n,
        splitBlobSupport: true,
        spliceBlobSupport: true,
      },
      executionCapabilities: {
        digestFunction: 1,
        digestFunctions: [1, 9],
        execEnabled: true,
        supportedNodeProperties: ["mtime", "unix_mode"],
        executionPriorityCapabilities: {
          priorities: [{ minPriority: -5, maxPriority: -1 }, { maxPriority: 7 }],
        },
      },
      deprecatedApiVersion: { major: 2, minor: 0 },
      lowApiVersion: { major: 2, minor: 3 },
      highApiVersion: { major: 2, minor: 11, prerelease: "rc1" },
    }),
  );
  assert.deepEqual(readAdvertised(message), {
    deprecated: semVer(2, 0),
    low: semVer(2, 3),
    high: { ...semVer(2, 11), prerelease: "rc1" },
    level: "2.11",
    storeFunctions: [1, 9, 2],
    executionFunctions: [1, 9],
    executionFunction: 1,
    maxBatchBytes: 4_194_304,
    executes: true,
    writesResults: true,
    statesStore: true,
    statesExecution: true,
    compressors: [1, 0],
    batchCompressors: [2],
    maxBlobBytes: 5_000_000_000,
    absoluteSymlinks: 2,
    splits: true,
    splices: true,
    nodeProperties: ["mtime", "unix_mode"],
    priorities: [
      { min: -5, max: -1 },
      { min: 0, max: 7 },
    ],
  });
});

test("a server of 2.0 says its execution function in the single field", () => {
  const old = codec("2.0");
  const message = old.encode(
    SERVER_CAPABILITIES,
    old.create(SERVER_CAPABILITIES, {
      executionCapabilities: { digestFunction: 2, execEnabled: true },
      lowApiVersion: { major: 2 },
      highApiVersion: { major: 2 },
    }),
  );
  const { executionFunctions, level, low, deprecated, writesResults } = readAdvertised(message);
  assert.deepEqual(executionFunctions, [2]);
  assert.deepEqual([level, low, deprecated, writesResults], ["2.0", semVer(2, 0), null, false]);
});

test("nothing is read out of an empty message", () => {
  const { level, low, high, storeFunctions, executionFunctions, maxBatchBytes } = readAdvertised(
    Buffer.alloc(0),
  );
  assert.deepEqual([level, low, high], [null, null, null]);
  assert.deepEqual([storeFunctions, executionFunctions, maxBatchBytes], [[], [], 0]);
});

test("versions that nobody knows: newer minors stand for the newest level, other majors for none", () => {
  assert.equal(levelOf(semVer(2, 99)), "main");
  assert.equal(levelOf(semVer(2, -1)), "main");
  assert.equal(levelOf(semVer(99, 9)), null);
  assert.equal(levelOf(semVer(1, 0)), null);
});

test("lists come packed or one by one, parts of a message are merged, senseless sizes count as none", () => {
  const store = (write: (out: FieldWriter) => void) => {
    const inner = new FieldWriter();
    write(inner);
    const out = new FieldWriter();
    out.bytes(1, Buffer.concat(inner.finish()));
    return Buffer.concat(out.finish());
  };
  const packed = store((out) => out.bytes(1, Buffer.from([1, 0xe8, 0x07, 2])));
  const single = store((out) => {
    out.varint(1, 5);
    out.varint(4, -1);
  });
  const { storeFunctions, maxBatchBytes } = readAdvertised(Buffer.concat([packed, single]));
  assert.deepEqual([storeFunctions, maxBatchBytes], [[1, 1000, 2, 5], 0]);
});

test("which parts there are is told apart from what they say", () => {
  const empty = (number: number) => readAdvertised(Buffer.from([(number << 3) | 2, 0]));
  const parts = [empty(1), empty(2), empty(9)].map((each) => [each.statesStore, each.statesExecution]);
  assert.deepEqual(parts, [
    [true, false],
    [false, true],
    [false, false],
  ]);
});

test("what proposals put under the numbers of later fields is not looked at (P05, P10)", () => {
  const draft = new FieldWriter();
  draft.varint(4, 100);
  // Ways of chunking, as a message where the largest blob is a number now; and numbers where there are messages and flags.
  draft.bytes(8, Buffer.from([8, 1]));
  draft.bytes(9, Buffer.from([8, 1]));
  draft.bytes(11, Buffer.from([8, 1, 16, 255]));
  const out = new FieldWriter();
  out.message(1, draft.finish());
  const { maxBatchBytes, maxBlobBytes, splits, splices } = readAdvertised(out.toBuffer());
  assert.deepEqual([maxBatchBytes, maxBlobBytes, splits, splices], [100, 0, false, false]);
});

test("broken bytes are refused", () => {
  assert.throws(() => readAdvertised(Buffer.from([0x0a, 5, 1])), WireError);
});
