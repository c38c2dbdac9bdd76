import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../src/spec/codec.ts";
import { enums } from "../../src/spec/generated/enums.ts";
import { knows } from "../../src/spec/ledger.ts";
import { allMethods } from "../../src/spec/methods.ts";
import { LEVELS, type Level } from "../../src/spec/versions.ts";
import { Status } from "../../src/wire/status.ts";
import { CallFailed, embedded, type V2Message } from "../support/reapi-client.ts";

const GET = "Capabilities/GetCapabilities";

/** Read as the newest level does: what an old server announces must be what it announces on the wire. */
async function capabilitiesOf(
  t: Parameters<typeof embedded>[0],
  level: Level,
): Promise<V2Message<"ServerCapabilities">> {
  const { client } = await embedded(t, level, { clientLevel: "main" });
  return client.unary(GET, { instanceName: "any" });
}

test("the announced version is that of the level", async (t) => {
  for (const [level, minor] of [
    ["2018-11", 0],
    ["2.0", 0],
    ["2.3", 3],
    ["2.12", 12],
    ["main", 12],
  ] as const) {
    const { lowApiVersion, highApiVersion, deprecatedApiVersion } = await capabilitiesOf(t, level);
    assert.deepEqual([lowApiVersion?.major, lowApiVersion?.minor], [2, 0], level);
    assert.deepEqual([highApiVersion?.major, highApiVersion?.minor], [2, minor], level);
    assert.equal(deprecatedApiVersion, null);
  }
});

test("a level announces the digest functions and compressors that it has", async (t) => {
  const { SHA256, SHA1, MD5, SHA384, SHA512, SHA256TREE, BLAKE3, GITSHA1 } = enums.DigestFunction;
  const { ZSTD, DEFLATE, BROTLI } = enums.Compressor;
  const oldest = [SHA256, SHA1, MD5];
  for (const [level, functions, compressors] of [
    ["2018-11", oldest, []],
    ["2.0", [...oldest, SHA384, SHA512], []],
    ["2.3", [...oldest, SHA384, SHA512], [ZSTD, DEFLATE]],
    ["2.5", [...oldest, SHA384, SHA512, SHA256TREE], [ZSTD, DEFLATE, BROTLI]],
    ["main", [...oldest, SHA384, SHA512, SHA256TREE, BLAKE3, GITSHA1], [ZSTD, DEFLATE, BROTLI]],
  ] as const) {
    const { cacheCapabilities, executionCapabilities } = await capabilitiesOf(t, level);
    assert.deepEqual(cacheCapabilities?.digestFunctions, functions, level);
    assert.deepEqual(cacheCapabilities?.supportedCompressors, compressors, level);
    assert.deepEqual(cacheCapabilities?.supportedBatchUpdateCompressors, compressors, level);
    assert.equal(executionCapabilities?.digestFunction, SHA256);
    const several = knows(level, "build.bazel.remote.execution.v2.ExecutionCapabilities.digest_functions");
    assert.deepEqual(executionCapabilities?.digestFunctions, several ? functions : [], level);
    assert.equal(executionCapabilities?.execEnabled, true);
    assert.equal(cacheCapabilities?.actionCacheUpdateCapabilities?.updateEnabled, true);
  }
});

test("chunks are announced from 2.12 on", async (t) => {
  for (const [level, known] of [
    ["2.11", false],
    ["2.12", true],
  ] as const) {
    const { cacheCapabilities } = await capabilitiesOf(t, level);
    const { splitBlobSupport, spliceBlobSupport, fastCdc2020Params } = cacheCapabilities!;
    assert.deepEqual([splitBlobSupport, spliceBlobSupport], [known, known]);
    assert.equal(fastCdc2020Params?.avgChunkSizeBytes, known ? 524_288n : undefined);
  }
});

test("node properties are announced by the names of the level", async (t) => {
  for (const [level, names] of [
    ["2018-11", []],
    ["2.0", ["MTime", "UnixMode"]],
    ["2.1", ["MTime", "UnixMode"]],
    ["2.2", ["mtime", "unix_mode"]],
  ] as const) {
    const { executionCapabilities } = await capabilitiesOf(t, level);
    assert.deepEqual(executionCapabilities?.supportedNodeProperties, names, level);
  }
});

for (const level of LEVELS) {
  test(`${level}: nothing in the answer is unknown to a client of that level`, async (t) => {
    const { client } = await embedded(t, level);
    const bytes = await client.unaryBytes(
      "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities",
      Buffer.alloc(0),
    );
    const name = "build.bazel.remote.execution.v2.ServerCapabilities";
    const read = codec(level).decode(name, bytes);
    // Copies of the known fields alone: unknown ones would make the difference.
    const known = codec(level).create(name, JSON.parse(JSON.stringify(read), numbers) as typeof read);
    assert.deepEqual(codec(level).encode(name, known), bytes);
  });

  test(`${level}: methods of later levels, and services it does not have, are UNIMPLEMENTED`, async (t) => {
    const { client } = await embedded(t, level);
    for (const { path, element } of allMethods()) {
      const served = knows(level, element) && !/asset|logstream|DeleteOperation/.test(path);
      const error: unknown = await client
        .unaryBytes(path, Buffer.alloc(0))
        .catch((caught: unknown) => caught);
      const code = error instanceof CallFailed ? error.code : Status.OK;
      assert.equal(code === Status.UNIMPLEMENTED, !served, `${path}: ${code}`);
    }
  });
}

/** 64-bit integers are text in JSON. */
function numbers(_: string, value: unknown): unknown {
  return typeof value === "string" && /^\d+$/.test(value) ? BigInt(value) : value;
}
