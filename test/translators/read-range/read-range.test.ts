import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { READ } from "../../../src/translators/methods.ts";
import { readReadRequest, readReadResponse, writeReadRequest } from "../../../src/wire/byte-stream.ts";
import { Status } from "../../../src/wire/status.ts";
import { serverLike } from "../../support/played-server.ts";
import { failure } from "../../support/reapi-client.ts";
import { exchanged, PlainStore } from "../plain-store.ts";
import { errorFact, StreamedBlob, streaming, unpacked } from "../streams.ts";
import { client, plan, server } from "../support.ts";

const blob = new StreamedBlob(randomBytes(100_000));

const reads = (...forms: string[]) =>
  plan(client(), server({ level: "2.2", forms: { "read-range": { reads: forms } } }));

async function read(pair: Plan, store: PlainStore, name: string, readOffset: number, readLimit: number) {
  const request = Buffer.concat(writeReadRequest({ resourceName: name, readOffset, readLimit }));
  return Buffer.concat((await exchanged(pair, READ, [request], store.forward(READ))).map(readReadResponse));
}

for (const profile of ["buildbarn@2022-06-01", "bazel-remote@2.6"]) {
  test(`given ${profile}, which cannot limit a read, then the bridge ends it`, async (t) => {
    const { direct, bridged } = await streaming(t, { server: { profile } });
    await direct.write(blob.write(), [blob.bytes]);
    await failure(direct.read(blob.read(), 10, 20));
    for (const [offset, limit] of [
      [0, 1],
      [10, 20],
      [99_999, 20],
      [100_000, 20],
      [0, 100_000],
    ] as const)
      assert.ok(
        (await bridged.read(blob.read(), offset, limit)).equals(blob.bytes.subarray(offset, offset + limit)),
      );
    assert.equal((await failure(bridged.read(blob.read(), 100_001, 5))).code, Status.OUT_OF_RANGE);
    assert.equal((await failure(bridged.read(blob.read(), -1, 5))).code, Status.OUT_OF_RANGE);
    const negative = await failure(bridged.read(blob.read(), 0, -5));
    assert.equal(negative.code, Status.INVALID_ARGUMENT);
    assert.equal(errorFact(negative, "feature"), "read-range");
  });
}

test("given a server that ignores ranges altogether, then what was asked for is cut out, and its stream ends with it", async () => {
  const pair = reads("whole");
  await fc.assert(
    fc.asyncProperty(fc.nat(100_000), fc.nat(100_000), async (offset, limit) => {
      const store = new PlainStore();
      store.blobs.set(blob.digest.hash, blob.bytes);
      let sent = 0;
      store.onRead = function* (request) {
        const { readOffset, readLimit } = readReadRequest(request);
        assert.deepEqual([readOffset, readLimit], [0, 0]);
        for (; sent < 100_000; sent += 1_000) yield blob.bytes.subarray(sent, sent + 1_000);
      };
      const end = limit === 0 ? 100_000 : offset + limit;
      if (offset === 0 && limit === 0) return;
      assert.ok(
        (await read(pair, store, blob.read(), offset, limit)).equals(blob.bytes.subarray(offset, end)),
      );
      assert.ok(sent <= end + 1_000);
      assert.equal(store.open, 0);
    }),
    { numRuns: 60 },
  );
});

test("given such a server, as it is played, then it sends all of the blob", async (t) => {
  const ignoring = serverLike("bazel-remote@2.6", {
    readRange: { offset: "ignored", limit: "ignored", evidence: "the test" },
  });
  const { direct } = await streaming(t, { server: ignoring });
  await direct.write(blob.write(), [blob.bytes]);
  assert.ok((await direct.read(blob.read(), 10, 20)).equals(blob.bytes));
});

test("given a range that no blob has, then it is refused before anything is read", async () => {
  const store = new PlainStore();
  for (const [offset, limit, code] of [
    [100_001, 0, "range-outside"],
    [-1, 0, "range-outside"],
    [1, -1, "request-unsupported"],
  ] as const) {
    await assert.rejects(
      read(reads("whole"), store, blob.read(), offset, limit),
      (error) => error instanceof BridgeError && error.facts.code === code,
    );
  }
});

test("given a server that ignores offsets of compressed blobs, then they are made of the plain blob", async (t) => {
  const { direct, bridged } = await streaming(t, { server: { profile: "bazel-remote@2.6" } });
  await direct.write(blob.write(), [blob.bytes]);
  const pair = plan(
    client(),
    server({
      forms: {
        "compressed-blobs": { reads: ["plain", "zstd"] },
        "read-range": { reads: ["whole", "offset"] },
      },
    }),
  );
  const store = new PlainStore();
  store.blobs.set(blob.digest.hash, blob.bytes);
  const packed = await read(pair, store, blob.read("ZSTD"), 40_000, 0);
  assert.ok((await unpacked("ZSTD", packed, 60_000)).equals(blob.bytes.subarray(40_000)));
  await assert.rejects(read(pair, store, blob.read("ZSTD"), 40_000, 7), BridgeError);
  // The same with a compressor that the server lacks, and at one that honours them.
  assert.ok(
    (await unpacked("BROTLI", await bridged.read(blob.read("BROTLI"), 7), 99_993)).equals(
      blob.bytes.subarray(7),
    ),
  );
});

test("given ranges that the server honours, and reads of whole blobs, then the calls stay relayed", () => {
  const opens = ({ methods }: Plan, resourceName: string, readOffset: number, readLimit: number) => {
    const bytes = Buffer.concat(writeReadRequest({ resourceName, readOffset, readLimit }));
    return methods.get(READ)?.opens?.({ bytes, whole: true, length: bytes.length }) ?? false;
  };
  assert.equal(opens(reads("whole", "offset"), blob.read(), 5, 0), false);
  assert.equal(opens(reads("whole", "offset"), blob.read(), 5, 5), true);
  assert.equal(opens(reads("whole"), blob.read(), 0, 0), false);
  assert.equal(opens(reads("whole"), blob.read(), 5, 0), true);
  assert.equal(opens(reads("whole"), "streams/of/a/log", 5, 5), false);
  assert.equal(opens(plan(client({ level: "2.2" }), server({ level: "2.2" })), blob.read(), 5, 5), false);
});
