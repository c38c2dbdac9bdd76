import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startEmbeddedProcess } from "../support/embedded-process.ts";
import { type BlobName, ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "embedded-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const nameOf = ({ hash, sizeBytes }: BlobName) => `blobs/${hash}/${sizeBytes}`;

test("what was acknowledged survives kill -9, and nothing else is seen but whole", async (t) => {
  const dir = await directory(t);
  const acknowledged: BlobName[] = [];
  const attempted: BlobName[] = [];
  let lastResult: BlobName | undefined;
  for (let round = 0; round < 3; round++) {
    const server = await startEmbeddedProcess(t, "--dir", dir);
    const client = new ReapiClient(t, server.address);
    const commandDigest = await client.storeMessage(`${V2}.Command`, { arguments: [String(round)] });
    const actionDigest = await client.storeMessage(`${V2}.Action`, { commandDigest });
    await client.unary("ActionCache/UpdateActionResult", { actionDigest, actionResult: { exitCode: round } });
    lastResult = actionDigest;
    // Many blobs on their way at once, of sizes that take one message and several; the kill comes amid them.
    const enough = Promise.withResolvers<void>();
    let stored = 0;
    const writes = Array.from({ length: 60 }, async (_, index) => {
      const blob = randomBytes(index % 2 === 0 ? 2_000 : 400_000);
      const digest = sha256(blob);
      attempted.push(digest);
      const chunks = [blob.subarray(0, 1_000), blob.subarray(1_000)];
      if (index % 3 === 0) await client.store(blob);
      else await client.write(`uploads/${index}/${nameOf(digest)}`, chunks);
      acknowledged.push(digest);
      stored += 1;
      if (stored === 15) enough.resolve();
    });
    const settled = Promise.allSettled(writes);
    await enough.promise;
    await server.end("SIGKILL");
    await settled;
  }
  const server = await startEmbeddedProcess(t, "--dir", dir);
  assert.deepEqual(await readdir(join(dir, "tmp")), []);
  const client = new ReapiClient(t, server.address);
  const find = "ContentAddressableStorage/FindMissingBlobs";
  const { missingBlobDigests } = await client.unary<V2Message<"FindMissingBlobsResponse">>(find, {
    blobDigests: attempted,
  });
  const missing = new Set(missingBlobDigests.map(({ hash }) => hash));
  assert.deepEqual(
    acknowledged.filter(({ hash }) => missing.has(hash)),
    [],
  );
  for (const digest of attempted) {
    if (!missing.has(digest.hash)) assert.deepEqual(sha256(await client.read(nameOf(digest))), digest);
  }
  const request = { actionDigest: lastResult };
  const result = await client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", request);
  assert.equal(result.exitCode, 2);
});

test("a large blob passes through bounded memory in both directions", async (t) => {
  const server = await startEmbeddedProcess(t, "--dir", await directory(t));
  if ((await server.peakMemory()) === null)
    return t.skip("this system does not tell how much memory a process has");
  const client = new ReapiClient(t, server.address);
  const chunk = randomBytes(1 << 20);
  const count = 256;
  const hash = createHash("sha256");
  for (let at = 0; at < count; at++) hash.update(chunk);
  const digest = { hash: hash.digest("hex"), sizeBytes: count * chunk.length };
  const write = client.openWrite();
  for (let at = 0; at < count; at++) {
    const finishWrite = at === count - 1;
    const resourceName = `uploads/1/${nameOf(digest)}`;
    await write.send({ resourceName, writeOffset: at * chunk.length, data: chunk, finishWrite });
  }
  assert.equal(await write.response, digest.sizeBytes);
  const read = createHash("sha256");
  const request = { resourceName: nameOf(digest) };
  for await (const { data } of client.stream<{ data: Uint8Array }>(
    "/google.bytestream.ByteStream/Read",
    request,
  )) {
    read.update(data);
  }
  assert.equal(read.digest("hex"), digest.hash);
  const peak = await server.peakMemory();
  assert.ok(peak! < 230 * 1024 * 1024, `the server had ${Math.round(peak! / 1024 / 1024)} MiB resident`);
});

test("it stops when it is told to, and takes its leave of the directory", async (t) => {
  const dir = await directory(t);
  const server = await startEmbeddedProcess(t, "--dir", dir, "--level", "2.0");
  const client = new ReapiClient(t, server.address);
  await client.store("kept");
  assert.equal(await server.end("SIGTERM"), 0);
  assert.deepEqual((await readdir(dir)).sort(), ["cas"]);
});
