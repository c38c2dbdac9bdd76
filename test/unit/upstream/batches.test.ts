import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageName } from "../../../src/spec/codec.ts";
import { codec } from "../../../src/spec/codec.ts";
import { inBatches } from "../../../src/upstream/batches.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { failure, type ScriptedCall } from "../../support/scripted-caller.ts";
import { blob, NEW, named, OLD, portTo } from "./support.ts";

const V2 = "build.bazel.remote.execution.v2";
const [one, two, three] = [blob("one"), blob("second"), blob("the third")];

async function sent<Name extends MessageName>(call: ScriptedCall, name: Name) {
  return codec().decode(name, await call.request());
}

test("batches fill up to the limit, in order; what exceeds it is alone", () => {
  const batches = (sizes: number[]) => [...inBatches(sizes, 10, (size) => size)];
  assert.deepEqual(batches([]), []);
  assert.deepEqual(batches([4, 6, 1]), [[4, 6], [1]]);
  assert.deepEqual(batches([3, 11, 3, 3]), [[3], [11], [3, 3]]);
});

test("requests name instance and function, as far as the upstream reads them", async () => {
  for (const [dialect, digestFunction, number] of [
    [NEW, null, 1],
    [NEW, named("BLAKE3"), 9],
    [OLD, null, 0],
  ] as const) {
    const { port } = portTo(
      async function* (call) {
        const request = await sent(call, `${V2}.FindMissingBlobsRequest`);
        assert.equal(request.instanceName, "main");
        assert.equal(request.digestFunction, number);
        yield codec().encode(`${V2}.FindMissingBlobsResponse`, { missingBlobDigests: request.blobDigests });
      },
      { dialect, digestFunction },
    );
    assert.deepEqual(await port.findMissing([two.digest, one.digest]), [two.digest, one.digest]);
  }
});

test("digests of two functions are asked for in two calls; nobody asks for none", async () => {
  const sha1 = { hash: "ab".repeat(20), sizeBytes: 3 };
  const { port, caller } = portTo(async function* (call) {
    const request = await sent(call, `${V2}.FindMissingBlobsRequest`);
    assert.equal(request.digestFunction, request.blobDigests[0]!.hash.length === 40 ? 2 : 1);
    yield codec().encode(`${V2}.FindMissingBlobsResponse`, { missingBlobDigests: request.blobDigests });
  });
  assert.deepEqual(await port.findMissing([one.digest, sha1, two.digest]), [one.digest, sha1, two.digest]);
  assert.equal(caller.calls.length, 2);
  assert.deepEqual(await port.findMissing([]), []);
  assert.equal(caller.calls.length, 2);
});

test("what is missing and was not asked for is left out; unreadable answers are INTERNAL", async () => {
  const extra = portTo(() => [
    codec().encode(`${V2}.FindMissingBlobsResponse`, { missingBlobDigests: [three.digest, one.digest] }),
  ]);
  assert.deepEqual(await extra.port.findMissing([one.digest, two.digest]), [one.digest]);
  for (const answers of [[], [Buffer.alloc(0), Buffer.alloc(0)], [Buffer.from([0x12, 0xff])]]) {
    const { port } = portTo(() => answers);
    await assert.rejects(port.findMissing([one.digest]), { name: "UpstreamError", code: Status.INTERNAL });
  }
});

test("each blob of a batch is checked, and told about", async () => {
  const refusal = {
    code: Status.NOT_FOUND,
    message: "gone",
    details: [{ typeUrl: "a/b", value: one.bytes }],
  };
  const wrong = blob("was something else");
  const { port, caller } = portTo(async function* (call) {
    assert.equal((await sent(call, `${V2}.BatchReadBlobsRequest`)).digests.length, 4);
    yield codec().encode(`${V2}.BatchReadBlobsResponse`, {
      responses: [
        { digest: three.digest, status: refusal },
        { digest: wrong.digest, data: Buffer.from("is something else!") },
        { digest: blob("nobody asked").digest, data: Buffer.from("nobody asked") },
        { digest: one.digest, data: one.bytes },
        { digest: one.digest, data: one.bytes },
      ],
    });
  });
  const asked = [one, two, three, wrong, one].map(({ digest }) => digest);
  const read = await collect(port.readBlobs(asked, 100));
  assert.deepEqual(
    read.map((each) => [each.digest.hash, "bytes" in each ? String(each.bytes) : each.error.code]),
    [
      [three.digest.hash, Status.NOT_FOUND],
      [wrong.digest.hash, Status.DATA_LOSS],
      [one.digest.hash, "one"],
      [two.digest.hash, Status.INTERNAL],
    ],
  );
  assert.ok("error" in read[0]! && read[0].error.details[0]!.value.equals(one.bytes));
  assert.equal(caller.budget.used, 0);
});

test("compressed content that nobody asked for is not taken", async () => {
  const { port } = portTo(() => [
    codec().encode(`${V2}.BatchReadBlobsResponse`, {
      responses: [{ digest: one.digest, data: one.bytes, compressor: 1 }],
    }),
  ]);
  const [read] = await collect(port.readBlobs([one.digest], 100));
  assert.ok("error" in read! && read.error.code === Status.INTERNAL);
});

test("a batch that fails fails for each blob of it; too long ones are not asked for", async () => {
  const { port, caller } = portTo(() => {
    throw failure(Status.UNAVAILABLE);
  });
  const read = await collect(port.readBlobs([one.digest, two.digest, three.digest], 6));
  assert.deepEqual(
    read.map((each) => "error" in each && each.error.code),
    [Status.UNAVAILABLE, Status.UNAVAILABLE, Status.RESOURCE_EXHAUSTED],
  );
  assert.equal(caller.calls.length, 1);
});

test("without batches blobs are read few at a time; whoever leaves ends all calls", async () => {
  const blobs = Array.from({ length: 20 }, (_, index) => blob(`content ${index}`));
  const { port, caller } = portTo(
    async function* (call) {
      if (caller.calls.indexOf(call) !== 3) await new Promise(() => {});
      const found = blobs.find(({ digest }) => call.resourceName!.includes(digest.hash))!;
      yield codec().encode("google.bytestream.ReadResponse", { data: found.bytes });
    },
    { dialect: OLD },
  );
  const digests = blobs.map(({ digest }) => digest);
  for await (const read of port.readBlobs(digests, 100)) {
    assert.ok("bytes" in read && read.bytes.equals(blobs[3]!.bytes));
    assert.equal(caller.budget.used, read.bytes.length);
    break;
  }
  assert.equal(caller.calls.length, 8);
  assert.equal(caller.calls.filter(({ cancelled }) => cancelled).length, 7);
  assert.equal(caller.budget.used, 0);
});

test("blobs are stored each once; the first refusal is thrown with its details", async () => {
  const answer = { statuses: [Status.OK, Status.ALREADY_EXISTS] as number[] };
  const { port, caller } = portTo(async function* (call) {
    const { requests, digestFunction } = await sent(call, `${V2}.BatchUpdateBlobsRequest`);
    assert.equal(digestFunction, 1);
    assert.deepEqual(
      requests.map(({ data }) => String(data)),
      ["one", "second"],
    );
    const responses = answer.statuses.map((code, index) => ({
      digest: requests[index]!.digest,
      status: { code, message: "m", details: [{ typeUrl: "a/b", value: one.bytes }] },
    }));
    yield codec().encode(`${V2}.BatchUpdateBlobsResponse`, { responses });
  });
  await port.writeBlobs([one, two, one]);
  answer.statuses = [Status.OK, Status.RESOURCE_EXHAUSTED];
  await assert.rejects(port.writeBlobs([one, two]), (error) => {
    assert.ok(error instanceof UpstreamError);
    assert.equal(error.code, Status.RESOURCE_EXHAUSTED);
    assert.equal(error.details.length, 1);
    return true;
  });
  answer.statuses = [Status.OK];
  await assert.rejects(port.writeBlobs([one, two]), { code: Status.INTERNAL });
  assert.equal(caller.calls.length, 3);
});

test("without batches blobs are stored few at a time, and a refusal ends the others", async () => {
  const blobs = Array.from({ length: 20 }, (_, index) => blob(`content ${index}`));
  const { port, caller } = portTo(
    async function* (call) {
      for await (const _ of call.requests());
      if (caller.calls.indexOf(call) === 2) throw failure(Status.PERMISSION_DENIED);
      await new Promise(() => {});
    },
    { dialect: OLD },
  );
  await assert.rejects(port.writeBlobs(blobs), { code: Status.PERMISSION_DENIED });
  assert.equal(caller.calls.length, 8);
  assert.equal(caller.calls.filter(({ cancelled }) => cancelled).length, 7);
});
