import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { codec } from "../../src/spec/codec.ts";
import { Status } from "../../src/wire/status.ts";
import { atRest } from "../support/at-rest.ts";
import { bridgeTo } from "../support/bridge.ts";
import { eventually } from "../support/eventually.ts";
import { playing } from "../support/played-server.ts";
import {
  type BlobName,
  embedded,
  failure,
  ReapiClient,
  sha256,
  V2,
  type V2Message,
} from "../support/reapi-client.ts";

// SplitBlob and SpliceBlob before servers that lack them, or one of them.

const SPLIT = "ContentAddressableStorage/SplitBlob";
const SPLICE = "ContentAddressableStorage/SpliceBlob";
const MIB = 1 << 20;
const WANTED = { policy: { chunking: "require" } };

type Split = V2Message<"SplitBlobResponse">;

const nameOf = ({ hash, sizeBytes }: { hash: string; sizeBytes: number | bigint }) =>
  `blobs/${hash}/${sizeBytes}`;

async function upload(client: ReapiClient, blob: Buffer): Promise<BlobName> {
  const digest = sha256(blob);
  await client.write(
    `uploads/1/${nameOf(digest)}`,
    Array.from({ length: Math.ceil(blob.length / MIB) }, (_, n) => blob.subarray(n * MIB, (n + 1) * MIB)),
  );
  return digest;
}

async function chunking(t: TestContext, address: string) {
  const bridge = await bridgeTo(t, address, WANTED);
  return { bridge, client: new ReapiClient(t, bridge.address) };
}

for (const name of ["buildfarm@2.17", "buildbarn@2026-03-26", "bazel-remote@2.6.1"]) {
  test(`what is announced before ${name} is served: a blob comes in chunks, and goes back in chunks`, async (t) => {
    const { client: direct, address } = await playing(t, name);
    const { client } = await chunking(t, address);
    const { cacheCapabilities } = await client.unary<V2Message<"ServerCapabilities">>(
      "Capabilities/GetCapabilities",
      {},
    );
    assert.deepEqual(
      [cacheCapabilities!.splitBlobSupport, cacheCapabilities!.spliceBlobSupport],
      [true, true],
    );
    assert.equal(cacheCapabilities!.fastCdc2020Params?.avgChunkSizeBytes, 512n * 1024n);
    const blob = randomBytes(9 * MIB);
    const blobDigest = await upload(direct, blob);
    const { chunkDigests } = await client.unary<Split>(SPLIT, { blobDigest });
    assert.ok(chunkDigests.length > 4);
    const chunks: Buffer[] = [];
    for (const digest of chunkDigests) chunks.push(await client.read(nameOf(digest)));
    assert.deepEqual(Buffer.concat(chunks), blob);
    // Another blob of chunks that are there, in part.
    const other = Buffer.concat([...chunks.slice(1), Buffer.from("the end")]);
    const [end] = await client.store("the end");
    const otherDigest = sha256(other);
    await client.unary(SPLICE, {
      blobDigest: otherDigest,
      chunkDigests: [...chunkDigests.slice(1), end!],
    });
    assert.deepEqual(await direct.read(nameOf(otherDigest)), other);
  });
}

test("without the policy nothing is announced, and calls end as the server would end them, with a way out", async (t) => {
  const { address } = await playing(t, "buildfarm@2.17");
  const bridge = await bridgeTo(t, address);
  const client = new ReapiClient(t, bridge.address);
  const { cacheCapabilities } = await client.unary<V2Message<"ServerCapabilities">>(
    "Capabilities/GetCapabilities",
    {},
  );
  assert.equal(cacheCapabilities!.splitBlobSupport, false);
  const { code, message } = await failure(client.unary(SPLIT, { blobDigest: sha256("x") }));
  assert.equal(code, Status.UNIMPLEMENTED);
  assert.match(message, /chunking: require/);
});

test("a large blob is cut and made again in bounded memory", async (t) => {
  const { client: direct, address } = await embedded(t, "2.11");
  const bridge = await bridgeTo(t, address, {
    ...WANTED,
    limits: {
      bufferBudgetBytes: 40 * MIB,
      maxMessageBytes: 4 * MIB,
      maxHeaderListBytes: 128 * 1024,
      maxStreamsPerConnection: 1000,
    },
  });
  const client = new ReapiClient(t, bridge.address);
  const blob = randomBytes(80 * MIB);
  const blobDigest = await upload(direct, blob);
  let most = 0;
  const watch = setInterval(async () => {
    most = Math.max(most, (await bridge.metrics()).bridge.budgetHeld);
  }, 5);
  t.after(() => clearInterval(watch));
  const { chunkDigests } = await client.unary<Split>(SPLIT, { blobDigest });
  const total = chunkDigests.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0);
  assert.equal(total, blob.length);
  // In another order it is another blob, of the same chunks.
  const turned = [...chunkDigests].reverse();
  const hash = createHash("sha256");
  const at = new Map<string, number>();
  let offset = 0;
  for (const chunk of chunkDigests) {
    at.set(chunk.hash, offset);
    offset += Number(chunk.sizeBytes);
  }
  for (const chunk of turned) {
    const start = at.get(chunk.hash)!;
    hash.update(blob.subarray(start, start + Number(chunk.sizeBytes)));
  }
  const other = { hash: hash.digest("hex"), sizeBytes: blob.length };
  await client.unary(SPLICE, { blobDigest: other, chunkDigests: turned });
  clearInterval(watch);
  const { missingBlobDigests } = await direct.unary<V2Message<"FindMissingBlobsResponse">>(
    "ContentAddressableStorage/FindMissingBlobs",
    { blobDigests: [other] },
  );
  assert.deepEqual(missingBlobDigests, []);
  console.log("most", most);
  assert.ok(most > 0 && most < 40 * MIB, `${most} bytes at most`);
});

test("chunks that do not make the blob leave no trace of it, and who leaves in the middle neither", async (t) => {
  const { client: direct, address, controls } = await embedded(t, "2.11");
  const bridge = await bridgeTo(t, address, WANTED);
  const connection = new Connection(bridge.address, { level: "main" });
  const chunks = [randomBytes(3 * MIB), randomBytes(3 * MIB), randomBytes(3 * MIB)];
  const chunkDigests: BlobName[] = [];
  for (const chunk of chunks) chunkDigests.push(await upload(direct, chunk));
  const wrong = { hash: "ab".repeat(32), sizeBytes: 9 * MIB };
  const request = { blobDigest: wrong, chunkDigests };
  await assert.rejects(connection.unary(`/${V2}.${SPLICE}`, request), { code: Status.INVALID_ARGUMENT });
  await assert.rejects(direct.read(nameOf(wrong)), { code: Status.NOT_FOUND });
  const leaving = new AbortController();
  const whole = sha256(Buffer.concat(chunks));
  const leaver = new Connection(bridge.address, { level: "main", signal: leaving.signal });
  const reads = controls.calls("ByteStream/Read");
  const call = leaver.unary(`/${V2}.${SPLICE}`, { blobDigest: whole, chunkDigests });
  call.catch(() => {});
  await eventually(() => controls.calls("ByteStream/Read") > reads, "a chunk is read");
  leaving.abort();
  await assert.rejects(call, { code: Status.CANCELLED });
  const blobDigest = await upload(direct, randomBytes(20 * MIB));
  const splitting = new AbortController();
  const splitter = new Connection(bridge.address, { level: "main", signal: splitting.signal });
  const split = splitter.unary(`/${V2}.${SPLIT}`, { blobDigest });
  split.catch(() => {});
  const before = controls.calls("ContentAddressableStorage/FindMissingBlobs");
  await eventually(
    () => controls.calls("ContentAddressableStorage/FindMissingBlobs") > before,
    "chunks are stored",
  );
  splitting.abort();
  await assert.rejects(split, { code: Status.CANCELLED });
  for (const each of [connection, leaver, splitter]) each.close();
  await atRest(bridge);
});

test("the streamed methods are served as well, by the bridge or by the unary ones of the server", async (t) => {
  const path = (method: string) => `/${V2}.ContentAddressableStorage/${method}`;
  for (const [server, parts] of [
    [await playing(t, "buildfarm@2.17"), WANTED],
    [await embedded(t), {}],
  ] as const) {
    const bridge = await bridgeTo(t, server.address, parts);
    const client = new ReapiClient(t, bridge.address);
    const blob = randomBytes(5 * MIB);
    const { hash, sizeBytes } = await upload(client, blob);
    const request = codec().encode(`${V2}.SplitBlobRequest`, {
      blobDigest: { hash, sizeBytes: BigInt(sizeBytes) },
    });
    // The list fits into one message, whose field 1 is that of a SplitBlobResponse.
    const response = await client.unaryBytes(path("SplitChunks"), request);
    assert.equal(response.includes(Buffer.from("1001", "hex")), true);
    const list = await client.unary<Split>(SPLIT, { blobDigest: { hash, sizeBytes } });
    const { chunkDigests } = list;
    const splice = codec().encode(`${V2}.SpliceBlobRequest`, {
      blobDigest: { hash, sizeBytes: BigInt(sizeBytes) },
      chunkDigests,
    });
    const made = codec().decode(
      `${V2}.SpliceBlobResponse`,
      await client.unaryBytes(path("SpliceChunks"), splice),
    );
    assert.equal(made.blobDigest?.hash, hash);
  }
});
