import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { codec } from "../../../src/spec/codec.ts";
import { QUERY_WRITE_STATUS, READ, WRITE } from "../../../src/translators/methods.ts";
import { Status } from "../../../src/wire/status.ts";
import { serverLike } from "../../support/played-server.ts";
import { failure } from "../../support/reapi-client.ts";
import { errorFact, quiet, StreamedBlob, streaming, unpacked } from "../streams.ts";
import { client, plan, server } from "../support.ts";

const blob = new StreamedBlob(Buffer.concat([randomBytes(150_000), Buffer.alloc(150_000, "ab")]));

test("given an offset, then it counts bytes of the blob", async (t) => {
  const { direct, bridged } = await streaming(t, { server: "2.2" });
  await direct.write(blob.write(), [blob.bytes]);
  for (const offset of [0, 1, 150_001, 300_000]) {
    const read = await bridged.read(blob.read("ZSTD"), offset);
    assert.ok((await unpacked("ZSTD", read, 300_000)).equals(blob.bytes.subarray(offset)));
  }
  const { code } = await failure(bridged.read(blob.read("ZSTD"), 300_001));
  assert.equal(code, Status.OUT_OF_RANGE);
});

test("given a limit, then the read is refused as the API says", async (t) => {
  const { bridged } = await streaming(t, { server: "2.2" });
  const refused = await failure(bridged.read(blob.read("BROTLI"), 0, 100));
  assert.equal(refused.code, Status.INVALID_ARGUMENT);
  assert.match(refused.message, /^ReadRequest\.read_limit for a compressed blob \(API 2\.3\) was used/);
  assert.equal(errorFact(refused, "feature"), "compressed-blobs");
});

test("given a compressor that does not exist, or in capital letters, then those there are are named", async (t) => {
  const { bridged } = await streaming(t, { server: "2.2" });
  for (const name of ["ZSTD", "gzip", "identity"]) {
    for (const call of [
      () => bridged.read(blob.read("ZSTD").replace("zstd", name)),
      () => bridged.write(blob.write("ZSTD").replace("zstd", name), [Buffer.alloc(1)]),
      () => bridged.unary(QUERY_WRITE_STATUS, { resourceName: blob.write("ZSTD").replace("zstd", name) }),
    ]) {
      const refused = await failure(call());
      assert.equal(refused.code, Status.INVALID_ARGUMENT);
      assert.match(
        refused.message,
        new RegExp(`^The compressor "${name}" was used, .*zstd, deflate, brotli`),
      );
    }
  }
});

test("given a blob that is not there, then the upstream's own error passes", async (t) => {
  const { direct, bridged, bridges } = await streaming(t, { server: "2.2" });
  const [alone, through] = [
    await failure(direct.read(blob.read())),
    await failure(bridged.read(blob.read("ZSTD"))),
  ];
  assert.deepEqual([through.code, through.message], [alone.code, alone.message]);
  await quiet(bridges[0]!);
});

test("given a client that leaves in the middle, then nothing is left", async (t) => {
  const { direct, bridged, bridges } = await streaming(t, { server: "2.2" });
  const large = new StreamedBlob(randomBytes(8 << 20));
  await direct.write(large.write(), [large.bytes]);
  const stop = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of bridged.stream(READ, { resourceName: large.read("ZSTD") }, stop.signal))
      stop.abort();
  });
  await quiet(bridges[0]!);
});

test("given a server that announces a compressor and answers plain, as its profile says, then it is compressed here", async (t) => {
  const unkept = serverLike("bazel-remote@2.6", {
    compressors: { are: ["ZSTD"], unkept: ["ZSTD"], evidence: "the test" },
  });
  const { direct } = await streaming(t, { server: unkept });
  await direct.write(blob.write(), [blob.bytes]);
  assert.ok((await direct.read(blob.read("ZSTD"))).equals(blob.bytes));
  const known = server({ forms: { "compressed-blobs": { reads: ["plain"] } } });
  assert.equal(opens(plan(client(), known), READ, blob.read("ZSTD")), true);
});

test("given several kinds of compression, then only what the upstream lacks leaves the relay lane", () => {
  const known = server({ forms: { "compressed-blobs": { reads: ["plain", "zstd"] } } });
  const pair = plan(client(), known);
  for (const method of [READ, WRITE, QUERY_WRITE_STATUS]) {
    const names = (compressor: "ZSTD" | "BROTLI" | null) =>
      method === READ ? blob.read(compressor) : blob.write(compressor);
    assert.equal(opens(pair, method, names(null)), false);
    assert.equal(opens(pair, method, names("ZSTD")), false);
    assert.equal(opens(pair, method, names("BROTLI")), true);
  }
});

test("given a server ahead of its client, then nothing is opened", () => {
  const old = plan(client({ level: "2.2" }), server({ level: "2.12" }));
  for (const method of [READ, WRITE]) assert.equal(opens(old, method, blob.read()), false);
});

function opens({ methods }: Plan, method: string, resourceName: string): boolean {
  const bytes = codec().encode("google.bytestream.WriteRequest", { resourceName, data: Buffer.alloc(9) });
  return methods.get(method)?.opens?.({ bytes, whole: true, length: bytes.length }) ?? false;
}
