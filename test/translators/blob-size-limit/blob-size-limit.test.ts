import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { WRITE } from "../../../src/translators/methods.ts";
import { Status } from "../../../src/wire/status.ts";
import { serverLike } from "../../support/played-server.ts";
import { failure, type ReapiClient, sha256, V2 } from "../../support/reapi-client.ts";
import { atRest, bothWays, lanesOf, update } from "../batches.ts";
import { client, plan, server } from "../support.ts";

const evidence = "the test";
const NAME = `${V2}.ServerCapabilities`;
const LIMITED = { blobLimit: { announced: true, bytes: 100_000, evidence } };

function upload(to: ReapiClient, data: Buffer, kind = "blobs"): Promise<number> {
  const { hash, sizeBytes } = sha256(data);
  return to.write(`uploads/${randomUUID()}/${kind}/${hash}/${sizeBytes}`, [data]);
}

test("given a server that states a limit, when an older client uploads more, then it is told the limit at once", async (t) => {
  const ways = await bothWays(t, serverLike("bazel-remote@2.5.2", LIMITED));
  const large = Buffer.alloc(100_001, "x");
  const direct = await failure(upload(ways.direct, large));
  const refused = await failure(upload(ways.bridged, large));
  assert.equal(refused.code, direct.code);
  assert.equal(refused.code, Status.INVALID_ARGUMENT);
  assert.match(refused.message, /A blob of 100001 bytes .*at most 100000 bytes \(max_cas_blob_size_bytes\)/);
  const { feature } = refused.errorInfo?.metadata ?? {};
  assert.equal(feature, "blob-size-limit");
  assert.equal(await upload(ways.bridged, large.subarray(1)), 100_000);
  assert.deepEqual(await lanesOf(ways, "Write"), ["relay"]);
  await atRest(ways);
});

test("given a batch with a blob beyond the limit, then the server's own status of it passes", async (t) => {
  const ways = await bothWays(t, serverLike("bazel-remote@2.5.2", LIMITED));
  const blobs = [Buffer.alloc(100_001, "x"), Buffer.alloc(10, "y")];
  assert.deepEqual(
    (await update(ways.bridged, blobs)).map(([, code]) => code),
    [Status.INVALID_ARGUMENT, 0],
  );
});

test("the size in the name of a compressed upload is that of the blob", () => {
  const { methods } = plan(client({ level: "2.3" }), server({ level: "2.3", facts: LIMITED }));
  const { heads } = methods.get(WRITE)!;
  const name = (size: number, prefix = "") =>
    Buffer.from(`${prefix}uploads/1/compressed-blobs/zstd/${"ab".repeat(32)}/${size}`);
  for (const head of heads) {
    const fits = name(100_000, "an/instance/");
    assert.equal(head.rewrite(fits), fits);
    assert.throws(() => head.rewrite(name(100_001)), { status: Status.INVALID_ARGUMENT });
    const other = Buffer.from("not a blob");
    assert.equal(head.rewrite(other), other);
    assert.equal(head.rewrite(null), null);
  }
  assert.equal(heads.length, 1);
});

test("a client that knows of the limit, or a server that states none, has its uploads relayed as they are", () => {
  const heads = (pair: ReturnType<typeof plan>) => pair.methods.get(WRITE)?.heads.length ?? 0;
  assert.equal(heads(plan(client({ level: "2.12" }), server({ level: "2.12", facts: LIMITED }))), 0);
  const none = { blobLimit: { announced: false, evidence } };
  assert.equal(heads(plan(client({ level: "2.3" }), server({ level: "2.3", facts: none }))), 0);
});

function told(stated: Record<string, unknown>, facts = {}): bigint | undefined {
  const bytes = codec().encode(NAME, { cacheCapabilities: { digestFunctions: [1], ...stated } });
  const pair = plan(client({ level: null }), server({ level: "2.3", facts }));
  const seen = announce(pair, bytes);
  assert.equal(announce(pair, seen), seen, "a second run changes nothing");
  return codec().decode(NAME, seen).cacheCapabilities?.maxCasBlobSizeBytes;
}

test("a limit that a profile knows of is announced where the server states none", () => {
  assert.equal(told({}), 0n);
  assert.equal(told({}, { blobLimit: { announced: false, bytes: 5000, evidence } }), 5000n);
  assert.equal(
    told({ maxCasBlobSizeBytes: 700n }, { blobLimit: { announced: true, bytes: 5000, evidence } }),
    700n,
  );
});
