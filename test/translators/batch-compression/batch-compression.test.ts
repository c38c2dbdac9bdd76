import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { COMPRESSORS } from "../../../src/compression/compressors.ts";
import { encodeBytes } from "../../../src/compression/encode.ts";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { Status } from "../../../src/wire/status.ts";
import { type ReapiClient, sha256, V2, type V2Message } from "../../support/reapi-client.ts";
import { atRest, type BothWays, blobsOf, bothWays, read } from "../batches.ts";
import { client, plan, server } from "../support.ts";

const UPDATE = "ContentAddressableStorage/BatchUpdateBlobs";

interface Entry {
  readonly data: Buffer;
  readonly compressor: number;
  readonly digest: { readonly hash: string; readonly sizeBytes: number };
}

async function codes(to: ReapiClient, requests: readonly Entry[]): Promise<number[]> {
  const { responses } = await to.unary<V2Message<"BatchUpdateBlobsResponse">>(UPDATE, { requests });
  assert.deepEqual(
    responses.map(({ digest }) => digest?.hash),
    requests.map(({ digest }) => digest.hash),
  );
  return responses.map(({ status }) => status?.code ?? 0);
}

async function packed(blobs: readonly Buffer[]): Promise<Entry[]> {
  return Promise.all(
    blobs.map(async (bytes, at) => {
      const compressor = COMPRESSORS[at % COMPRESSORS.length]!;
      return {
        digest: sha256(bytes),
        data: await encodeBytes(compressor, bytes),
        compressor: compressor.number,
      };
    }),
  );
}

async function areStored({ direct }: BothWays, blobs: readonly Buffer[]): Promise<void> {
  for (const data of blobs) {
    const { hash, sizeBytes } = sha256(data);
    assert.ok((await direct.read(`blobs/${hash}/${sizeBytes}`)).equals(data));
  }
}

test("given a server that takes plain data only, when each blob of a batch is compressed in its own way, then all are stored", async (t) => {
  const ways = await bothWays(t, "buildfarm@2.15");
  const blobs = [...blobsOf(2_000, 30_000, 400, 5_000), randomBytes(9_000)];
  const requests = await packed(blobs);
  assert.deepEqual(new Set(await codes(ways.direct, requests)), new Set([Status.INVALID_ARGUMENT]));
  const plain = { digest: sha256("as it is"), data: Buffer.from("as it is"), compressor: 0 };
  assert.deepEqual(await codes(ways.bridged, [...requests, plain]), [0, 0, 0, 0, 0, 0]);
  await areStored(ways, [...blobs, plain.data]);
  await atRest(ways);
});

test("given a server with a small limit, when what was compressed grows beyond it, then it goes in several calls and by ByteStream", async (t) => {
  const ways = await bothWays(t, "nativelink@1.5");
  const blobs = blobsOf(
    ...Array(20)
      .fill(0)
      .map((_, at) => 20_000 + at),
    500_000,
    12_000_000,
  );
  const requests = await packed(blobs);
  assert.ok(requests.reduce((sum, { data }) => sum + data.length, 0) < 65_536);
  assert.deepEqual(
    await codes(ways.bridged, requests),
    requests.map(() => 0),
  );
  await areStored(ways, blobs);
  assert.equal(ways.controls.calls("ByteStream/Write"), 2);
  await atRest(ways);
});

test("data that are not what they should be are refused, each by itself", async (t) => {
  const ways = await bothWays(t, "buildfarm@2.15");
  const [good, cut, bomb, other, unknown, broken] = await packed(
    blobsOf(3_000, 3_003, 300_000, 3_006, 3_009, 3_010),
  );
  const bombDigest = { ...bomb!.digest, sizeBytes: 100 };
  const requests = [
    good!,
    { ...cut!, data: cut!.data.subarray(0, cut!.data.length - 3) },
    { ...bomb!, digest: bombDigest },
    { ...other!, digest: { ...sha256(Buffer.alloc(3_006)) } },
    { ...unknown!, compressor: 9 },
    { ...broken!, data: Buffer.from("no frame at all") },
    good!,
  ];
  const wrong = Status.INVALID_ARGUMENT;
  assert.deepEqual(await codes(ways.bridged, requests), [0, wrong, wrong, wrong, wrong, wrong, 0]);
  await areStored(ways, blobsOf(3_000));
  // Nothing was asked of the server but what could be stored.
  assert.equal(ways.controls.calls(UPDATE), 1);
});

test("given a batch of nothing but broken data, then the server is not asked", async (t) => {
  const ways = await bothWays(t, "buildfarm@2.15");
  const [one] = await packed(blobsOf(500));
  const before = ways.controls.calls(UPDATE);
  assert.deepEqual(await codes(ways.bridged, [{ ...one!, data: Buffer.from("?") }]), [
    Status.INVALID_ARGUMENT,
  ]);
  assert.equal(ways.controls.calls(UPDATE), before);
});

test("given a server that takes the compressor, then the batch goes on as it is; reads may be compressed where the client offers it", async (t) => {
  const ways = await bothWays(t, "bazel-remote@2.4");
  const blobs = blobsOf(20_000);
  const requests = (await packed(blobs)).filter(({ compressor }) => compressor === 1);
  assert.deepEqual(await codes(ways.bridged, requests), [0]);
  const digests = blobs.map((data) => sha256(data));
  const [plain] = await read(ways.bridged, digests);
  assert.ok(plain!.compressor === 0 && blobs[0]!.equals(plain!.data as Buffer));
  const { responses } = await ways.bridged.unary<V2Message<"BatchReadBlobsResponse">>(
    "ContentAddressableStorage/BatchReadBlobs",
    { digests, acceptableCompressors: [1] },
  );
  assert.equal(responses[0]!.compressor, 1);
});

const NAME = `${V2}.ServerCapabilities`;

function told(level: Level | null, own: number[], required: boolean): readonly number[] {
  const bytes = codec().encode(NAME, {
    cacheCapabilities: { digestFunctions: [1], supportedBatchUpdateCompressors: own },
  });
  const reads = own.length > 0 ? ["compressed", "plain"] : ["plain"];
  const to = server({ level: "2.0", forms: { "batch-compression": { reads } } });
  const pair = plan(client({ level }), to, required ? { "batch-compression": "require" } : {});
  const seen = announce(pair, bytes);
  assert.equal(announce(pair, seen), seen, "a second run changes nothing");
  return codec().decode(NAME, seen).cacheCapabilities?.supportedBatchUpdateCompressors ?? [];
}

test("the upstream's own list is announced; on demand, where it has none, what the bridge decodes and the client knows", () => {
  assert.deepEqual(told("2.9", [], false), []);
  assert.deepEqual(told("2.9", [], true), [1, 2, 3]);
  assert.deepEqual(told("2.9", [1], true), [1]);
  assert.deepEqual(told("2.2", [], true), []);
  assert.deepEqual(told(null, [], true), [1, 2, 3]);
});
