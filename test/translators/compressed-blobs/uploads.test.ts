import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { QUERY_WRITE_STATUS, WRITE } from "../../../src/translators/methods.ts";
import { Status } from "../../../src/wire/status.ts";
import { eventually } from "../../support/eventually.ts";
import { serverLike } from "../../support/played-server.ts";
import { failure, type ReapiClient } from "../../support/reapi-client.ts";
import { errorFact, inParts, quiet, StreamedBlob, streaming } from "../streams.ts";

const blobOf = (size: number) => new StreamedBlob(randomBytes(size));

/** Whether the server has the blob, whole. */
async function isThere(direct: ReapiClient, blob: StreamedBlob): Promise<boolean> {
  try {
    return (await direct.read(blob.read())).equals(blob.bytes);
  } catch {
    return false;
  }
}

/** Uploads that are not the blob they are called. */
const WRONG: readonly [string, RegExp, (blob: StreamedBlob) => Promise<Buffer>][] = [
  ["broken", /are broken|go on behind|end too early/, async () => Buffer.from("qwertyuiopasdfghjklzxcvbnm")],
  ["cut off", /end too early/, async (blob) => (await blob.packed("ZSTD")).subarray(0, -5)],
  ["a bomb", /more than 300000 bytes/, async () => zstdCompressSync(Buffer.alloc(50_000_000))],
  [
    "with more behind it",
    /go on behind their end/,
    async (blob) => Buffer.concat([await blob.packed("ZSTD"), Buffer.from("garbage")]),
  ],
  ["too short", /its data end at 299999 bytes/, async (blob) => zstdCompressSync(blob.bytes.subarray(1))],
  ["of another hash", /its data have the hash/, async () => zstdCompressSync(Buffer.alloc(300_000))],
];

for (const [how, says, make] of WRONG) {
  test(`given an upload that is ${how}, then it is refused by name and nothing of it is visible`, async (t) => {
    const { direct, bridged, bridges } = await streaming(t, { server: "2.2" });
    const blob = blobOf(300_000);
    const refused = await failure(bridged.write(blob.write("ZSTD"), inParts(await make(blob), 50_000)));
    assert.equal(refused.code, Status.INVALID_ARGUMENT);
    assert.equal(errorFact(refused, "code"), "upload-broken");
    assert.match(refused.message, says);
    assert.equal(await isThere(direct, blob), false);
    await quiet(bridges[0]!);
    assert.equal(
      await bridged.write(blob.write("ZSTD"), [await blob.packed("ZSTD")]),
      (await blob.packed("ZSTD")).length,
    );
    assert.ok(await isThere(direct, blob));
  });
}

test("given offsets that do not follow, or another name, then the upload is refused", async (t) => {
  const { direct, bridged } = await streaming(t, { server: "2.2" });
  const blob = blobOf(1_000);
  const packed = await blob.packed("DEFLATE");
  const name = blob.write("DEFLATE");
  for (const [first, second] of [
    [-1, {}],
    [1_001, {}],
    [0, { writeOffset: 1_000 }],
    [0, { writeOffset: 0 }],
    [0, { resourceName: blob.write("ZSTD") }],
  ] as const) {
    const write = bridged.openWrite();
    void write.send({ resourceName: name, writeOffset: BigInt(first), data: packed.subarray(0, 10) });
    void write.send({
      resourceName: "",
      writeOffset: 10n,
      data: packed.subarray(10),
      finishWrite: true,
      ...second,
    });
    write.end();
    const refused = await failure(write.response);
    assert.equal(errorFact(refused, "code"), "upload-broken", refused.message);
  }
  assert.equal(await isThere(direct, blob), false);
});

test("given a client that leaves in the middle, then it goes on at another bridge from where the upstream is", async (t) => {
  const { direct, bridged, other, bridges } = await streaming(t, { server: "2.2" });
  const blob = blobOf(1_000_000);
  const packed = await blob.packed("ZSTD");
  const write = bridged.openWrite();
  await write.send({ resourceName: blob.write("ZSTD"), data: packed.subarray(0, 600_000) });
  const status = () =>
    other.unary<{ committedSize: bigint; complete: boolean }>(QUERY_WRITE_STATUS, {
      resourceName: blob.write("ZSTD"),
    });
  await eventually(async () => (await status()).committedSize > 100_000n, "the upload is under way");
  write.cancel();
  await failure(write.response);
  await quiet(bridges[0]!);
  const { committedSize, complete } = await status();
  assert.equal(complete, false);
  const offset = Number(committedSize);
  const rest = await blob.packed("ZSTD", offset);
  assert.equal(await other.write(blob.write("ZSTD"), inParts(rest, 100_000), offset), offset + rest.length);
  assert.ok(await isThere(direct, blob));
  assert.deepEqual({ ...(await status()) }, { committedSize: 1_000_000n, complete: true });
});

test("given a client that ends without having finished, then it is told how far the blob is, and may go on", async (t) => {
  const { direct, bridged, other } = await streaming(t, { server: "2.2" });
  const blob = blobOf(500_000);
  const write = bridged.openWrite();
  void write.send({
    resourceName: blob.write("BROTLI"),
    data: (await blob.packed("BROTLI")).subarray(0, 300_000),
  });
  write.end();
  const offset = await write.response;
  assert.ok(offset > 0 && offset < 300_000);
  const rest = await blob.packed("BROTLI", offset);
  await other.write(blob.write("BROTLI"), [rest], offset);
  assert.ok(await isThere(direct, blob));
});

test("given two clients that send the same blob at once, then both succeed", async (t) => {
  const { direct, bridged, other } = await streaming(t, { server: "2.2" });
  const one = blobOf(400_000);
  const twin = new StreamedBlob(one.bytes);
  const packed = await one.packed("ZSTD");
  const sizes = await Promise.all([
    bridged.write(one.write("ZSTD"), inParts(packed, 10_000)),
    other.write(twin.write("ZSTD"), inParts(packed, 10_000)),
  ]);
  for (const size of sizes) assert.ok(size === packed.length || size === -1, `${size}`);
  assert.ok(await isThere(direct, one));
});

for (const [client, expected] of [
  [undefined, "minus-one"],
  ["bazel@5.1", "minus-one"],
  ["bazel@5.0", "sent"],
  ["siso@2025-05", "blob"],
] as const) {
  const who = client ?? "a client that nobody knows";
  test(`given a blob that is there, then the upload of ${who} ends early, with what it takes for a success`, async (t) => {
    const { direct, bridged } = await streaming(t, { server: "2.2", ...(client && { client }) });
    const blob = blobOf(200_000);
    const packed = await blob.packed("ZSTD");
    const counts = { "minus-one": -1, sent: packed.length, blob: blob.bytes.length };
    await direct.write(blob.write(), [blob.bytes]);
    // What the decoder has to wait for, the upstream does not hear of.
    const write = bridged.openWrite();
    const name = blob.write("ZSTD");
    await write.send({ resourceName: name, data: packed.subarray(0, 150_000) });
    if (expected === "sent") {
      for (let at = 150_000; at < packed.length; at += 50_000) {
        const data = packed.subarray(at, at + 50_000);
        void write.send({
          resourceName: "",
          writeOffset: BigInt(at),
          data,
          finishWrite: at + data.length === packed.length,
        });
      }
      write.end();
    }
    assert.equal(await write.response, counts[expected]);
    write.end();
  });
}

test("given a server that refuses what is there, then it is a success all the same", async (t) => {
  const server = serverLike("buildbarn@2022-06-01", {
    committedSize: { counts: "sent", existing: "refused", evidence: "the test" },
  });
  const { direct, bridged } = await streaming(t, { server });
  const blob = blobOf(1_000);
  await direct.write(blob.write(), [blob.bytes]);
  assert.equal((await failure(direct.write(blob.write(), [blob.bytes]))).code, Status.ALREADY_EXISTS);
  const packed = await blob.packed("ZSTD");
  assert.ok([packed.length, -1].includes(await bridged.write(blob.write("ZSTD"), [packed])));
});

test("given the header that names the compressed blob, then it does not travel with the plain one", async (t) => {
  const server = serverLike("buildfarm@2.17", {
    level: { is: "2.12", evidence: "the test" },
    compressors: { are: [], evidence: "the test" },
  });
  const { direct, bridged } = await streaming(t, { server });
  const blob = blobOf(1_000);
  const packed = await blob.packed("ZSTD");
  const header = { "build.bazel.remote.execution.v2.resource-name": blob.write("ZSTD") };
  const write = bridged.openWrite(header);
  void write.send({ resourceName: blob.write("ZSTD"), data: packed, finishWrite: true });
  write.end();
  assert.equal(await write.response, packed.length);
  assert.ok(await isThere(direct, blob));
  const wrong = direct.openWrite(header);
  void wrong.send({ resourceName: blob.write(), data: blob.bytes, finishWrite: true });
  wrong.end();
  await failure(wrong.response);
});

test("given a server that takes no blobs, then its own refusal passes", async (t) => {
  const { bridged } = await streaming(t, { server: "2.2" });
  const blob = blobOf(10);
  const refused = await failure(
    bridged.write(`uploads/1/compressed-blobs/zstd/${"ab".repeat(20)}/10`, [await blob.packed("ZSTD")]),
  );
  assert.equal(refused.path, WRITE);
  assert.equal(refused.code, Status.INVALID_ARGUMENT);
});
