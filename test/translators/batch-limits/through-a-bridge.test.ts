import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { Status } from "../../../src/wire/status.ts";
import { failure, sha256, V2, type V2Message } from "../../support/reapi-client.ts";
import { atRest, blobsOf, bothWays, lanesOf, read, sameBlobs, update } from "../batches.ts";

const FIND_MISSING = "ContentAddressableStorage/FindMissingBlobs";

/** A batch that each server refuses, with the reason on record; its blobs together are what a client may take for within the limit. */
const REFUSED = [
  // Filled to the announced 4 MiB by a client that counts blobs (buildfarm#2366).
  { server: "buildfarm@2.15", sizes: Array(64).fill(65_536), codes: [Status.RESOURCE_EXHAUSTED] },
  // A limit of 64 KiB, which a client of a fixed 4 MiB does not know.
  { server: "nativelink@1.5", sizes: Array(100).fill(4_000), codes: [Status.INVALID_ARGUMENT] },
  // 2 MB (remote-apis-sdks#99).
  { server: "buildgrid@2020", sizes: Array(30).fill(100_000), codes: [Status.INVALID_ARGUMENT] },
  // None announced, and the 4 MiB of gRPC (bazel-remote#658).
  {
    server: "bazel-remote@2.4",
    sizes: Array(50).fill(90_000),
    codes: [Status.RESOURCE_EXHAUSTED, Status.INVALID_ARGUMENT],
  },
];

for (const { server, sizes, codes } of REFUSED) {
  test(`given ${server}, when a batch is above what it takes, then it is stored and read in several calls`, async (t) => {
    const ways = await bothWays(t, server);
    const blobs = blobsOf(...sizes).map((data, at) =>
      Buffer.concat([Buffer.from(`${at} `), data]).subarray(0, data.length),
    );
    const digests = blobs.map((data) => sha256(data));
    const refused = await failure(update(ways.direct, blobs));
    assert.ok(codes.includes(refused.code as 8), refused.text);
    assert.deepEqual(
      await update(ways.bridged, blobs),
      digests.map(({ hash }) => [hash, 0]),
    );
    const responses = await read(ways.bridged, digests);
    assert.ok(responses.every(({ data }, at) => blobs[at]!.equals(data as Buffer)));
    assert.ok(ways.controls.calls("ContentAddressableStorage/BatchReadBlobs") > 1);
    await atRest(ways);
  });
}

test("given NativeLink, when a blob is above any batch, then it goes by ByteStream, and the statuses are in order", async (t) => {
  const ways = await bothWays(t, "nativelink@1.5");
  const blobs = blobsOf(10, 200_000, 20, 300_000, 30);
  const wrong = sha256("something else");
  const said = await update(ways.bridged, blobs, (data, at) =>
    at === 2 || at === 3 ? { ...wrong, sizeBytes: data.length } : sha256(data),
  );
  assert.deepEqual(
    said.map(([, code]) => code),
    [0, 0, Status.INVALID_ARGUMENT, Status.INVALID_ARGUMENT, 0],
  );
  assert.equal(ways.controls.calls("ContentAddressableStorage/BatchUpdateBlobs"), 1);
  const missing = { hash: "ab".repeat(32), sizeBytes: 150_000 };
  const asked = [sha256(blobs[1]!), missing, sha256(blobs[0]!), sha256(blobs[1]!)];
  const responses = await read(ways.bridged, asked);
  assert.deepEqual(
    responses.map(({ digest, data, status }) => [digest?.hash, data.length, status?.code ?? 0]),
    [
      [asked[0]!.hash, 200_000, 0],
      [missing.hash, 0, Status.NOT_FOUND],
      [asked[2]!.hash, 10, 0],
      [asked[0]!.hash, 200_000, 0],
    ],
  );
  await atRest(ways);
});

test("given bazel-remote, when Pants asks about 100,000 digests at once, then they are answered in order", async (t) => {
  const ways = await bothWays(t, "bazel-remote@2.4");
  const [there] = await ways.direct.store("it is there");
  const strange = Array.from({ length: 100_000 }, (_, at) => ({
    hash: at.toString(16).padStart(64, "0"),
    sizeBytes: 10,
  }));
  const blobDigests = [...strange.slice(0, 50_000), there!, ...strange.slice(50_000)];
  const ask = (client = ways.bridged) =>
    client.unary<V2Message<"FindMissingBlobsResponse">>(FIND_MISSING, { blobDigests });
  assert.equal((await failure(ask(ways.direct))).code, Status.RESOURCE_EXHAUSTED);
  // What a client of gRPC takes in one message is for the client to set.
  const bytes = await ways.bridged.unaryBytes(
    `/${V2}.${FIND_MISSING}`,
    codec().encode(`${V2}.FindMissingBlobsRequest`, {
      blobDigests: blobDigests.map(({ hash, sizeBytes }) => ({ hash, sizeBytes: BigInt(sizeBytes) })),
    }),
  );
  sameBlobs(codec().decode(`${V2}.FindMissingBlobsResponse`, bytes).missingBlobDigests, strange);
  assert.ok(ways.controls.calls(FIND_MISSING) > 2);
  assert.deepEqual(await lanesOf(ways, "FindMissingBlobs"), ["translate"]);
  await atRest(ways);
});

test("given calls within the limits, then they are relayed, and empty ones get the server's own answer", async (t) => {
  const ways = await bothWays(t, "bazel-remote@2.4");
  const blobs = blobsOf(100, 1_000_000, 2_000_000);
  assert.deepEqual(
    (await update(ways.bridged, blobs)).map(([, code]) => code),
    [0, 0, 0],
  );
  assert.equal(
    (
      await read(
        ways.bridged,
        blobs.map((data) => sha256(data)),
      )
    ).length,
    3,
  );
  await ways.bridged.unary(FIND_MISSING, { blobDigests: blobs.map((data) => sha256(data)) });
  assert.deepEqual(await update(ways.bridged, []), []);
  assert.deepEqual(await read(ways.bridged, []), []);
  for (const method of ["BatchUpdateBlobs", "BatchReadBlobs", "FindMissingBlobs"])
    assert.deepEqual(await lanesOf(ways, method), ["relay"], method);
});
