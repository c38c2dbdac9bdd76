import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Api } from "../../../src/client/api.ts";
import { type Blob, blobOf } from "../../../src/client/blob.ts";
import { CallFailed } from "../../../src/client/call-failed.ts";
import { Connection } from "../../../src/client/connection.ts";
import { type Manner, mannerOf, OVERHEAD_BYTES } from "../../../src/client/manner.ts";
import { RemoteStore } from "../../../src/client/remote-store.ts";
import { Status } from "../../../src/wire/status.ts";
import { type Handler, scriptedServer } from "../../peers/client/scripted-server.ts";

const FIND = "ContentAddressableStorage/FindMissingBlobs";
const UPDATE = "ContentAddressableStorage/BatchUpdateBlobs";
const READ = "ContentAddressableStorage/BatchReadBlobs";
const blobs = ["one", "two", "three", "x".repeat(2000)].map((text) => blobOf(text));
const digests = blobs.map(({ digest }) => digest);

async function storeAt(
  t: TestContext,
  script: Readonly<Record<string, Handler>>,
  change: Partial<Manner> = {},
) {
  const { address, asked } = await scriptedServer(t, {
    "ByteStream/Write": ({ data }) => ({ committedSize: (data as Buffer).length }),
    ...script,
  });
  const connection = new Connection(address);
  t.after(() => connection.close());
  return { store: new RemoteStore(connection, { ...mannerOf("2.12"), ...change }), asked };
}

/** Room for two of the small blobs in a batch. */
const LIMIT = {
  batches: { update: true, read: true, maxBytes: 2 * OVERHEAD_BYTES + 6, overheadBytes: OVERHEAD_BYTES },
};

test("what is missing goes up in batches that fit, and what fits in none as a stream", async (t) => {
  const { store, asked } = await storeAt(t, {}, LIMIT);
  assert.equal(await store.upload([...blobs, blobs[0]!]), 4);
  const batches = asked.flatMap(({ method, request: { requests } }) =>
    method === UPDATE ? [(requests as { data: Buffer }[]).map(({ data }) => data.toString())] : [],
  );
  assert.deepEqual(batches.sort(), [["one", "two"], ["three"]]);
  const streams = asked.filter(({ method }) => method === "ByteStream/Write");
  assert.deepEqual(
    streams.map(({ request: { data } }) => (data as Buffer).length),
    [2000],
  );
});

test("digests are asked for in lists of the length that the client has", async (t) => {
  const { store, asked } = await storeAt(t, {}, { mostDigests: 3 });
  await store.missing(blobs);
  const lengths = asked.map(({ request: { blobDigests } }) => (blobDigests as unknown[]).length);
  assert.deepEqual(lengths, [3, 1]);
});

const byHash = new Map<string, Blob>(blobs.map((blob) => [blob.digest.hash, blob]));
const batchRead: Handler = (request) => ({
  responses: (request as unknown as Api<"BatchReadBlobsRequest">).digests.map((digest) => ({
    digest,
    data: byHash.get(digest.hash)!.bytes,
  })),
});
const streamRead: Handler = ({ resourceName }) => {
  const { bytes } = byHash.get((resourceName as string).split("/").at(-2)!)!;
  return [{ data: bytes.subarray(0, 100) }, { data: bytes.subarray(100) }];
};

test("blobs come down in the order in which they were asked for", async (t) => {
  const { store, asked } = await storeAt(t, { [READ]: batchRead, "ByteStream/Read": streamRead }, LIMIT);
  const order = [3, 1, 0, 2];
  const read = await store.read(order.map((i) => digests[i]!));
  assert.deepEqual(
    read.map((bytes) => bytes.toString()),
    order.map((i) => blobs[i]!.bytes.toString()),
  );
  assert.deepEqual(asked.map(({ method }) => method).sort(), ["ByteStream/Read", READ, READ]);
});

test("a blob that is refused, missing, too short or badly compressed is a failure", async (t) => {
  const status = (code: number) => ({ code, message: "no room" });
  const streams = { ...LIMIT.batches, read: false };
  const fails = (code: number, text: RegExp) => (error: unknown) =>
    error instanceof CallFailed && error.code === code && text.test(error.message);
  const refusing = await storeAt(t, { [UPDATE]: () => ({ responses: [{ status: status(8) }] }) });
  await assert.rejects(refusing.store.put(blobs), fails(Status.RESOURCE_EXHAUSTED, /^no room$/));
  const lacking = await storeAt(t, { [READ]: () => ({ responses: [{ status: status(5) }] }) });
  await assert.rejects(lacking.store.read(digests), fails(Status.NOT_FOUND, /^no room$/));
  const short = await storeAt(
    t,
    { "ByteStream/Read": () => [{ data: Buffer.from("x") }] },
    { batches: streams },
  );
  await assert.rejects(short.store.read(digests), fails(Status.DATA_LOSS, /^1 bytes came of the blob /));
  const broken = await storeAt(
    t,
    { "ByteStream/Read": () => [{ data: Buffer.from("no zstd") }] },
    { batches: streams, compressor: "ZSTD" },
  );
  await assert.rejects(broken.store.read(digests), fails(Status.DATA_LOSS, / is no ZSTD of it: /));
  const cut = await storeAt(t, { "ByteStream/Write": () => ({ committedSize: 1 }) }, LIMIT);
  await assert.rejects(cut.store.put(blobs), fails(Status.DATA_LOSS, / ended at 1 bytes, not at 2000$/));
  assert.deepEqual(
    cut.asked.filter(({ method }) => method === FIND),
    [],
  );
});
