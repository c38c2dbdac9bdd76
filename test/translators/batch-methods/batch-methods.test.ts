import assert from "node:assert/strict";
import { test } from "node:test";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS, READ } from "../../../src/translators/methods.ts";
import { Status } from "../../../src/wire/status.ts";
import { bridgeTo } from "../../support/bridge.ts";
import { serverLike } from "../../support/played-server.ts";
import { failure, ReapiClient, sha256 } from "../../support/reapi-client.ts";
import { atRest, blobsOf, bothWays, lanesOf, read, update } from "../batches.ts";
import { client, plan, server } from "../support.ts";

const STORAGE = "ContentAddressableStorage";
const WITHOUT = {
  missingMethods: { are: [`${STORAGE}/BatchReadBlobs`, `${STORAGE}/BatchUpdateBlobs`], evidence: "the test" },
};

test("given BuildGrid of 2018, when a client reads a batch, then each blob comes by ByteStream, in order, with its status", async (t) => {
  const ways = await bothWays(t, "buildgrid@2018-05");
  const blobs = blobsOf(10, 70_000, 0, 3);
  const digests = blobs.map((data) => sha256(data));
  assert.deepEqual(
    (await update(ways.bridged, blobs)).map(([, code]) => code),
    [0, 0, 0, 0],
  );
  // It has that method.
  assert.equal(ways.controls.calls("ContentAddressableStorage/BatchUpdateBlobs"), 1);
  assert.equal((await failure(read(ways.direct, digests))).code, Status.UNIMPLEMENTED);
  const missing = { hash: "cd".repeat(32), sizeBytes: 5 };
  const wrong = { hash: "XY", sizeBytes: 1 };
  const responses = await read(ways.bridged, [...digests, missing, wrong, digests[0]!]);
  assert.deepEqual(
    responses.map(({ digest, data, status }) => [digest?.hash, data.length, status?.code ?? 0]),
    [
      ...digests.map(({ hash, sizeBytes }) => [hash, sizeBytes, 0]),
      [missing.hash, 0, Status.NOT_FOUND],
      [wrong.hash, 0, Status.INVALID_ARGUMENT],
      [digests[0]!.hash, 10, 0],
    ],
  );
  assert.deepEqual(await lanesOf(ways, "BatchReadBlobs"), ["local"]);
  await atRest(ways);
});

test("given a server that turns out to have neither method, then both are served, with a status for each blob", async (t) => {
  const ways = await bothWays(t, serverLike("buildgrid@2019-06", WITHOUT));
  const blobs = blobsOf(10, 300_000, 20);
  const codes = await update(ways.bridged, blobs, (data, at) =>
    sha256(at === 1 ? Buffer.alloc(data.length) : data),
  );
  assert.deepEqual(
    codes.map(([, code]) => code),
    [0, Status.INVALID_ARGUMENT, 0],
  );
  const lengths = blobs.map((data) => sha256(data));
  const responses = await read(ways.bridged, lengths);
  assert.deepEqual(
    responses.map(({ data, status }) => [data.length, status?.code ?? 0]),
    [
      [10, 0],
      [0, Status.NOT_FOUND],
      [20, 0],
    ],
  );
  assert.equal(ways.controls.calls("ByteStream/Write"), 3);
  await atRest(ways);
});

test("given a server without the methods, when BuildStream asks with empty batches, then they are there, and nothing is said", async (t) => {
  const ways = await bothWays(t, serverLike("buildgrid@2019-06", WITHOUT));
  assert.deepEqual(await update(ways.bridged, []), []);
  assert.deepEqual(await read(ways.bridged, []), []);
  assert.equal((await failure(update(ways.direct, []))).code, Status.UNIMPLEMENTED);
});

test("given a read-only server without the methods, when blobs are sent, then the call ends in its PERMISSION_DENIED", async (t) => {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const as = serverLike("buildgrid@2019-06", WITHOUT);
  const embedded = await startEmbedded({ as, readOnly: ["store"], listen, dir: null });
  t.after(() => embedded.stop());
  const bridge = await bridgeTo(t, embedded.address);
  const bridged = new ReapiClient(t, bridge.address);
  assert.deepEqual(await update(bridged, []), []);
  const refused = await failure(update(bridged, blobsOf(10, 20)));
  assert.deepEqual(
    [refused.code, refused.message],
    [Status.PERMISSION_DENIED, "clients may not store blobs here"],
  );
});

test("given a read-only server that has the methods, then empty batches get its own answers", async (t) => {
  const signs = [{ ask: "empty-batch-update", status: "PERMISSION_DENIED" }] as const;
  const ways = await bothWays(
    t,
    serverLike("buildgrid@2019-06", { recognition: { signs, evidence: "the test" } }),
  );
  for (const to of [ways.direct, ways.bridged]) {
    assert.equal((await failure(update(to, []))).code, Status.PERMISSION_DENIED);
    assert.deepEqual(await read(to, []), []);
  }
});

test("each method is served where it is the one that is missing, and refused where there are no blobs at all", () => {
  const lanes = (missingMethods: readonly string[]) => {
    const { methods } = plan(client(), server({ missingMethods }));
    return [BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS].map((path) => methods.get(path)?.lane ?? "relay");
  };
  assert.deepEqual(lanes([]), ["relay", "relay"]);
  assert.deepEqual(lanes([BATCH_READ_BLOBS]), ["local", "relay"]);
  assert.deepEqual(lanes([BATCH_UPDATE_BLOBS]), ["relay", "local"]);
  assert.deepEqual(lanes([BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS]), ["local", "local"]);
  assert.deepEqual(lanes([BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS, READ]), ["reject", "reject"]);
});
