import assert from "node:assert/strict";
import { test } from "node:test";
import type { Api } from "../../../src/client/api.ts";
import { mergeCapabilities } from "../../../src/peers/merge-capabilities.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { WireError } from "../../../src/wire/wire-error.ts";

const NAME = "build.bazel.remote.execution.v2.ServerCapabilities";

type Capabilities = Draft<Api<"ServerCapabilities">>;

const bytes = (message: Capabilities): Buffer => codec().encode(NAME, message);

function merged(store: Capabilities, results: Capabilities, execution: Capabilities) {
  const parts = { store: bytes(store), results: bytes(results), execution: bytes(execution) };
  return codec().decode(NAME, mergeCapabilities(parts));
}

const cache = (...digestFunctions: number[]): Capabilities => ({ cacheCapabilities: { digestFunctions } });
const runs = (digestFunction: number, ...digestFunctions: number[]): Capabilities => ({
  executionCapabilities: { digestFunction, digestFunctions, execEnabled: true },
});

test("each part is told by who does it", () => {
  const store = {
    cacheCapabilities: {
      digestFunctions: [1],
      maxBatchTotalSizeBytes: 7n,
      supportedCompressors: [0, 1],
      actionCacheUpdateCapabilities: { updateEnabled: true },
    },
    executionCapabilities: { digestFunction: 1, execEnabled: false },
    highApiVersion: { major: 2, minor: 9 },
  };
  const results = {
    cacheCapabilities: { digestFunctions: [1], maxBatchTotalSizeBytes: 99n },
  };
  const execution = {
    ...cache(1),
    executionCapabilities: { digestFunction: 1, execEnabled: true, supportedNodeProperties: ["mtime"] },
    highApiVersion: { major: 2, minor: 3 },
  };
  const { cacheCapabilities, executionCapabilities, highApiVersion } = merged(store, results, execution);
  assert.equal(cacheCapabilities?.maxBatchTotalSizeBytes, 7n);
  assert.deepEqual(cacheCapabilities?.supportedCompressors, [0, 1]);
  assert.equal(cacheCapabilities?.actionCacheUpdateCapabilities, null, "who keeps results does not say so");
  assert.deepEqual(
    [executionCapabilities?.execEnabled, executionCapabilities?.supportedNodeProperties],
    [true, ["mtime"]],
  );
  assert.equal(highApiVersion?.minor, 3);
});

test("digest functions are those of all, in the order of the store, and the single one is among them", () => {
  const { cacheCapabilities, executionCapabilities } = merged(cache(9, 2, 1), cache(1, 9), {
    ...cache(1, 2, 9),
    ...runs(2, 2, 9, 1),
  });
  assert.deepEqual(cacheCapabilities?.digestFunctions, [9, 1]);
  assert.deepEqual(executionCapabilities?.digestFunctions, [9, 1]);
  assert.equal(executionCapabilities?.digestFunction, 9);
});

test("one that says nothing of functions has them all; where nobody says anything nothing is added", () => {
  assert.deepEqual(merged(cache(1, 9), {}, runs(0)).cacheCapabilities?.digestFunctions, [1, 9]);
  const silent = merged({}, {}, runs(0));
  assert.deepEqual(silent.cacheCapabilities?.digestFunctions, []);
  assert.equal(silent.executionCapabilities?.digestFunction, 0);
});

test("an executor with one function among several of the store names that one", () => {
  const { cacheCapabilities, executionCapabilities } = merged(cache(1, 9), cache(1, 9), runs(9));
  assert.deepEqual(cacheCapabilities?.digestFunctions, [9]);
  assert.equal(executionCapabilities?.digestFunction, 9);
});

test("nothing in common is an error that says so", () => {
  assert.throws(() => merged(cache(1), cache(1), runs(9)), {
    name: "RangeError",
    message: "they have no digest function in common",
  });
});

test("fields that nobody knows survive where they are", () => {
  const unknown = new FieldWriter();
  unknown.text(4000, "kept");
  const inCache = new FieldWriter();
  inCache.bytes(1, unknown.toBuffer());
  const parts = {
    store: inCache.toBuffer(),
    results: Buffer.alloc(0),
    execution: Buffer.concat([bytes(runs(1)), unknown.toBuffer()]),
  };
  const message = mergeCapabilities(parts);
  assert.equal(message.toString("latin1").split("kept").length - 1, 2);
});

test("broken bytes are an error", () => {
  const broken = Buffer.from([0x0a, 0xff]);
  const good = bytes(cache(1));
  for (const part of ["store", "results", "execution"]) {
    const parts = { store: good, results: good, execution: good, [part]: broken };
    assert.throws(() => mergeCapabilities(parts), WireError);
  }
});
