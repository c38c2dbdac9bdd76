import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { brotliDecompressSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { digestOf } from "../../src/wire/hasher.ts";
import { Status } from "../../src/wire/status.ts";
import { embedded, type ReapiClient, sha256 } from "../support/reapi-client.ts";

type WriteStatus = Messages["google.bytestream.QueryWriteStatusResponse"];

const HEADER = "build.bazel.remote.execution.v2.resource-name";
const INVALID = { code: Status.INVALID_ARGUMENT };

/** A blob and its names. */
function named(content: Buffer | string, { instance = "", form = "blobs", id = "1" } = {}) {
  const { hash, sizeBytes } = sha256(content);
  const prefix = instance === "" ? "" : `${instance}/`;
  return {
    data: Buffer.from(content),
    read: `${prefix}${form}/${hash}/${sizeBytes}`,
    write: `${prefix}uploads/${id}/${form}/${hash}/${sizeBytes}`,
  };
}

function writeStatus(client: ReapiClient, resourceName: string): Promise<WriteStatus> {
  return client.unary("/google.bytestream.ByteStream/QueryWriteStatus", { resourceName });
}

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "embedded-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

for (const level of LEVELS) {
  test(`${level}: what is written in pieces is read as a whole and in parts`, async (t) => {
    const { client } = await embedded(t, level);
    const blob = named(randomBytes(300_000), { instance: "some/instance" });
    const chunks = [blob.data.subarray(0, 1), blob.data.subarray(1, 200_000), blob.data.subarray(200_000)];
    assert.equal(await client.write(`${blob.write}/some/metadata`, chunks), 300_000);
    assert.deepEqual(await client.read(blob.read), blob.data);
    assert.deepEqual(await client.read(blob.read, 100_000), blob.data.subarray(100_000));
    assert.deepEqual(await client.read(blob.read, 65_535, 3), blob.data.subarray(65_535, 65_538));
    assert.deepEqual(await client.read(blob.read, 299_999, 500), blob.data.subarray(299_999));
    assert.deepEqual(await client.read(blob.read, 300_000), Buffer.alloc(0));
  });
}

test("reads beyond the end, of negative parts and of missing blobs are refused, each in its way", async (t) => {
  const { client } = await embedded(t);
  const blob = named("short");
  await client.write(blob.write, [blob.data]);
  await assert.rejects(client.read(blob.read, 6), { code: Status.OUT_OF_RANGE });
  await assert.rejects(client.read(blob.read, -1), { code: Status.OUT_OF_RANGE });
  await assert.rejects(client.read(blob.read, 0, -1), INVALID);
  await assert.rejects(client.read(named("other").read), { code: Status.NOT_FOUND });
});

test("names that are none of a blob are refused", async (t) => {
  const { client } = await embedded(t);
  const blob = named("content");
  const { hash } = sha256("content");
  const unreadable = [
    "",
    "blobs",
    "blobs/x/1",
    `blobs/${hash}`,
    `blobs/${hash}/-1`,
    `blobs/${hash}/07`,
    blob.write,
  ];
  for (const name of [...unreadable, `uploads/${blob.read}`, `blobs/../../x/${hash}/1`]) {
    await assert.rejects(client.read(name), INVALID, name);
  }
  await assert.rejects(client.write(blob.read, [blob.data]), INVALID);
  await assert.rejects(client.read(`capabilities/x/${blob.read}`), {
    ...INVALID,
    message: /"capabilities" must not be a part of an instance name/,
  });
});

test("an instance name may contain later words of the grammar while the level does not have them", async (t) => {
  for (const [level, instance, legal] of [
    ["2018-11", "operations", true],
    ["2.0", "operations", false],
    ["2.2", "compressed-blobs", true],
    ["2.3", "compressed-blobs", false],
  ] as const) {
    const { client } = await embedded(t, level);
    const blob = named("content", { instance });
    const written = client.write(blob.write, [blob.data]);
    if (legal) assert.equal(await written, 7, level);
    else await assert.rejects(written, INVALID, level);
  }
});

test("wrong content, wrong length and wrong offsets are refused and leave nothing behind", async (t) => {
  const { client } = await embedded(t, "main", { dir: await directory(t) });
  const blob = named("right");
  await assert.rejects(client.write(blob.write, [Buffer.from("wrong")]), INVALID);
  await assert.rejects(client.write(blob.write, [Buffer.from("right and more")]), INVALID);
  await assert.rejects(client.write(blob.write, [Buffer.from("rig")]), INVALID);
  await assert.rejects(client.write(blob.write, [blob.data], 3), INVALID);
  const write = client.openWrite();
  await write.send({ resourceName: blob.write, data: Buffer.from("ri") });
  await write.send({ writeOffset: 3, data: Buffer.from("ght"), finishWrite: true });
  await assert.rejects(write.response, INVALID);
  const { committedSize, complete } = await writeStatus(client, blob.write);
  assert.deepEqual([committedSize, complete], [0n, false]);
  await assert.rejects(client.read(blob.read), { code: Status.NOT_FOUND });
});

for (const kind of ["disk", "memory"] as const) {
  test(`${kind}: an upload that was cut off goes on where the server says`, async (t) => {
    const { client } = await embedded(t, "main", { dir: kind === "disk" ? await directory(t) : null });
    const blob = named(randomBytes(1000));
    const first = client.openWrite();
    await first.send({ resourceName: blob.write, data: blob.data.subarray(0, 400) });
    // Sent is not arrived: the server is asked until it has it.
    let status = await writeStatus(client, blob.write);
    while (status.committedSize === 0n) status = await writeStatus(client, blob.write);
    assert.deepEqual([status.committedSize, status.complete], [400n, false]);
    first.cancel();
    await assert.rejects(first.response, { code: Status.CANCELLED });
    await assert.rejects(client.write(blob.write, [blob.data.subarray(300)], 300), INVALID);
    assert.equal(await client.write(blob.write, [blob.data.subarray(400)], 400), 1000);
    assert.deepEqual(await client.read(blob.read), blob.data);
    const done = await writeStatus(client, blob.write);
    assert.deepEqual([done.committedSize, done.complete], [1000n, true]);
  });
}

test("a call that ends before its blob does says how far it came; the next may begin anew", async (t) => {
  const { client } = await embedded(t);
  const blob = named(randomBytes(1000));
  const half = client.openWrite();
  await half.send({ resourceName: blob.write, data: blob.data.subarray(0, 400) });
  half.end();
  assert.equal(await half.response, 400);
  assert.equal(await client.write(blob.write, [blob.data]), 1000);
  assert.deepEqual(await client.read(blob.read), blob.data);
});

test("a client that comes back takes its upload from the call the server still holds open", async (t) => {
  const { client } = await embedded(t);
  const blob = named(randomBytes(1000));
  const first = client.openWrite();
  await first.send({ resourceName: blob.write, data: blob.data.subarray(0, 400) });
  while ((await writeStatus(client, blob.write)).committedSize === 0n);
  assert.equal(await client.write(blob.write, [blob.data.subarray(400)], 400), 1000);
  void first.send({ writeOffset: 400, data: blob.data.subarray(400), finishWrite: true });
  await assert.rejects(first.response, { code: Status.ABORTED });
});

test("the upload of a blob that is there ends at once, before it is sent", async (t) => {
  const { client } = await embedded(t);
  const blob = named(randomBytes(1_000_000));
  await client.write(blob.write, [blob.data]);
  const plain = client.openWrite();
  void plain.send({ resourceName: blob.write, data: blob.data.subarray(0, 10) });
  assert.equal(await plain.response, 1_000_000);
  const packed = client.openWrite();
  const name = named(blob.data, { form: "compressed-blobs/zstd" }).write;
  void packed.send({ resourceName: name, data: Buffer.from([0x28]) });
  assert.equal(await packed.response, -1);
});

test("blobs travel compressed in every form the level offers, read from an uncompressed offset", async (t) => {
  const { client } = await embedded(t);
  const content = Buffer.from("all work and no play makes jack a dull boy\n".repeat(20_000));
  const zstd = named(content, { form: "compressed-blobs/zstd" });
  const frames = [
    zstdCompressSync(content.subarray(0, 500_000)),
    zstdCompressSync(content.subarray(500_000)),
  ];
  const sent = frames[0]!.length + frames[1]!.length;
  assert.equal(
    await client.write(zstd.write, [frames[0]!.subarray(0, 9), frames[0]!.subarray(9), frames[1]!]),
    sent,
  );
  assert.deepEqual(await client.read(named(content).read), content);
  for (const [name, decompress] of [
    ["zstd", zstdDecompressSync],
    ["deflate", inflateRawSync],
    ["brotli", brotliDecompressSync],
  ] as const) {
    const { read } = named(content, { form: `compressed-blobs/${name}` });
    const packed = await client.read(read, 100_000);
    assert.ok(packed.length < 100_000, name);
    assert.deepEqual(decompress(packed), content.subarray(100_000));
  }
  await assert.rejects(client.read(zstd.read, 0, 5), INVALID);
  await assert.rejects(client.read(named(content, { form: "compressed-blobs/lzma" }).read), INVALID);
});

test("compressed uploads that are broken, cut short or too large are refused", async (t) => {
  const { client } = await embedded(t);
  const blob = named("some content", { form: "compressed-blobs/zstd" });
  const good = zstdCompressSync(blob.data);
  for (const data of [
    Buffer.from("no zstd at all"),
    good.subarray(0, -2),
    zstdCompressSync(Buffer.alloc(50_000_000)),
  ]) {
    await assert.rejects(client.write(blob.write, [data]), INVALID);
  }
  assert.equal(await client.write(blob.write, [good]), good.length);
});

test("a compressed upload that was cut off goes on at an uncompressed offset, with a compressor that starts anew", async (t) => {
  const { client } = await embedded(t);
  const blob = named(randomBytes(100_000), { form: "compressed-blobs/zstd" });
  const first = client.openWrite();
  await first.send({ resourceName: blob.write, data: zstdCompressSync(blob.data.subarray(0, 60_000)) });
  while ((await writeStatus(client, blob.write)).committedSize < 60_000n);
  first.cancel();
  await assert.rejects(first.response, { code: Status.CANCELLED });
  const rest = zstdCompressSync(blob.data.subarray(60_000));
  assert.equal(await client.write(blob.write, [rest], 60_000), 60_000 + rest.length);
  assert.deepEqual(await client.read(named(blob.data).read), blob.data);
  const { committedSize, complete } = await writeStatus(client, blob.write);
  assert.deepEqual([committedSize, complete], [100_000n, true]);
});

test("names are as old as the level: no compression before 2.3, no digest function before 2.5", async (t) => {
  const compressed = named("content", { form: "compressed-blobs/zstd" });
  const brotli = named("content", { form: "compressed-blobs/brotli" });
  const withFunction = named("content", { form: "blobs/sha256" });
  for (const [level, blob, known] of [
    ["2.2", compressed, false],
    ["2.3", compressed, true],
    ["2.4", brotli, false],
    ["2.5", brotli, true],
    ["2.4", withFunction, false],
    ["2.5", withFunction, true],
  ] as const) {
    const { client } = await embedded(t, level);
    await client.store("content");
    const read = client.read(blob.read);
    if (known) assert.ok((await read).length > 0);
    else await assert.rejects(read, INVALID);
  }
});

test("a name states the digest function where the length of the hash cannot", async (t) => {
  const data = randomBytes(3_000);
  const tree = DIGEST_FUNCTIONS.find(({ name }) => name === "SHA256TREE")!;
  const git = DIGEST_FUNCTIONS.find(({ name }) => name === "GITSHA1")!;
  for (const [level, digestFunction] of [
    ["2.5", tree],
    ["2.12", git],
  ] as const) {
    const { client } = await embedded(t, level);
    const { hash } = digestOf(data, digestFunction);
    const name = `blobs/${digestFunction.segment}/${hash}/${data.length}`;
    assert.equal(await client.write(`uploads/1/${name}`, [data]), data.length);
    assert.deepEqual(await client.read(name), data);
    // Without the function it is the name of another blob.
    await assert.rejects(client.read(`blobs/${hash}/${data.length}`), { code: Status.NOT_FOUND });
  }
  const { client } = await embedded(t, "2.11");
  await assert.rejects(client.read(`blobs/gitsha1/${digestOf(data, git).hash}/${data.length}`), INVALID);
});

test("since 2.12 the header with the resource name must say what the request says", async (t) => {
  const { write, data } = named("content");
  const ask = (client: ReapiClient) =>
    client.unary(
      "/google.bytestream.ByteStream/QueryWriteStatus",
      { resourceName: write },
      { [HEADER]: "other" },
    );
  const { client } = await embedded(t, "2.12");
  await assert.rejects(ask(client), INVALID);
  const upload = client.openWrite({ [HEADER]: write });
  void upload.send({ resourceName: write, data, finishWrite: true });
  assert.equal(await upload.response, 7);
  await ask((await embedded(t, "2.11")).client);
});

test("an empty blob may be written", async (t) => {
  const { client } = await embedded(t, "2.0", { dir: await directory(t) });
  const blob = named("");
  assert.equal(await client.write(blob.write, [blob.data]), 0);
  assert.deepEqual(await client.read(blob.read), blob.data);
});
