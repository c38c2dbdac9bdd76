import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { digestOf } from "../../../src/wire/hasher.ts";
import { Status } from "../../../src/wire/status.ts";
import { encodeStatusDetails } from "../../../src/wire/status-details.ts";
import { collect } from "../../support/collect.ts";
import { failure } from "../../support/scripted-caller.ts";
import { blob, NEW, named, OLD, portTo } from "./support.ts";

const part = (data: string): Buffer =>
  codec().encode("google.bytestream.ReadResponse", { data: Buffer.from(data) });
const some = blob("some bytes");

test("a blob is asked for by its name, and comes in parts", async () => {
  const { port, caller } = portTo(() => [part("some"), part(""), part(" bytes")]);
  assert.equal(String(await collect(port.streamBlob(some.digest))), "some, bytes");
  assert.equal((await port.readBlob(some.digest, 10)).toString(), "some bytes");
  const name = `main/blobs/${some.digest.hash}/10`;
  assert.deepEqual(
    caller.calls.map((call) => call.resourceName),
    [name, name],
  );
  assert.equal(caller.budget.used, 10);
  port.close();
  assert.equal(caller.budget.used, 0);
});

test("the request has the name, and nothing else", async () => {
  const { port } = portTo(async function* (call) {
    const request = codec().decode("google.bytestream.ReadRequest", await call.request());
    assert.equal(request.resourceName, call.resourceName);
    assert.equal(request.readOffset, 0n);
    assert.equal(request.readLimit, 0n);
    yield part("some bytes");
  });
  await port.readBlob(some.digest, 10);
});

test("newer functions stand in the name where the upstream reads them there", async () => {
  const digest = { hash: "ab".repeat(32), sizeBytes: 4 };
  for (const [dialect, name] of [
    [NEW, `main/blobs/blake3/${digest.hash}/4`],
    [OLD, `main/blobs/${digest.hash}/4`],
  ] as const) {
    const { port, caller } = portTo(() => [part("some")], { dialect, digestFunction: named("BLAKE3") });
    await assert.rejects(port.readBlob(digest, 4), { code: Status.DATA_LOSS, message: /of another hash/ });
    assert.equal(caller.calls[0]!.resourceName, name);
    const own = { hash: digestOf(Buffer.from("some"), named("BLAKE3")).hash, sizeBytes: 4 };
    assert.equal((await port.readBlob(own, 4)).toString(), "some");
  }
});

test("of a function that cannot be computed here the length is checked all the same", async () => {
  const digest = { hash: "ab".repeat(33), sizeBytes: 4 };
  const { port } = portTo(() => [part("some")], { digestFunction: named("VSO") });
  assert.equal((await port.readBlob(digest, 4)).toString(), "some");
  await assert.rejects(port.readBlob({ ...digest, sizeBytes: 5 }, 5), { code: Status.DATA_LOSS });
});

test("the empty blob is not asked for; a wrong empty one does not exist", async () => {
  const { port, caller } = portTo(() => []);
  const { digest } = blob("");
  assert.equal((await port.readBlob(digest, 0)).length, 0);
  assert.deepEqual(await collect(port.streamBlob(digest)), []);
  await assert.rejects(port.readBlob({ ...some.digest, sizeBytes: 0 }, 0), { code: Status.NOT_FOUND });
  assert.equal(caller.calls.length, 0);
});

test("what is not the blob is DATA_LOSS: other bytes, fewer, more", async () => {
  for (const parts of [["some", " Bytes"], ["some"], ["some", " bytes!", "never read"]]) {
    const { port, caller } = portTo(() => parts.map(part));
    await assert.rejects(port.readBlob(some.digest, 10), { name: "UpstreamError", code: Status.DATA_LOSS });
    assert.equal(caller.budget.used, 0);
    assert.equal(caller.calls[0]!.cancelled, parts.length === 3);
  }
});

test("a blob above the limit is not asked for; one above the budget is given up", async () => {
  const { port, caller } = portTo(() => [part("some"), part(" bytes")], { budgetBytes: 9 });
  await assert.rejects(port.readBlob(some.digest, 9), { code: Status.RESOURCE_EXHAUSTED });
  assert.equal(caller.calls.length, 0);
  await assert.rejects(port.readBlob(some.digest, 10), { code: Status.RESOURCE_EXHAUSTED });
  assert.equal(caller.calls.length, 1);
  assert.equal(caller.budget.used, 0);
});

test("memory follows what has arrived, not what the digest says", async () => {
  const huge = { hash: some.digest.hash, sizeBytes: 2 ** 40 };
  const { port, caller } = portTo(() => [part("some")]);
  await assert.rejects(port.readBlob(huge, 2 ** 41), { code: Status.DATA_LOSS });
  assert.ok(caller.budget.peak <= 1024, `${caller.budget.peak} bytes`);
});

test("the upstream's own failure comes as it is, with its details", async () => {
  const details = encodeStatusDetails({
    code: 5,
    message: "gone",
    details: [{ typeUrl: "a/b", value: some.bytes }],
  });
  const { port } = portTo(() => {
    throw failure(Status.NOT_FOUND, "gone", details);
  });
  await assert.rejects(port.readBlob(some.digest, 10), {
    name: "UpstreamError",
    code: Status.NOT_FOUND,
    message: "gone",
    rawDetails: details,
  });
});

test("an answer that is no ReadResponse is INTERNAL", async () => {
  const { port } = portTo(() => [Buffer.from([0x52, 0xff])]);
  await assert.rejects(port.readBlob(some.digest, 10), { name: "UpstreamError", code: Status.INTERNAL });
});

test("a read that outlives the port's caller gives nothing back twice", async () => {
  const reading = Promise.withResolvers<void>();
  const closing = Promise.withResolvers<void>();
  const { port, caller } = portTo(async function* () {
    yield part("some");
    reading.resolve();
    await closing.promise;
    throw failure(Status.CANCELLED);
  });
  const read = assert.rejects(port.readBlob(some.digest, 10), { code: Status.CANCELLED });
  await reading.promise;
  port.close();
  assert.equal(caller.budget.used, 0);
  closing.resolve();
  await read;
  assert.equal(caller.budget.used, 0);
  await assert.rejects(port.readBlob(some.digest, 10), { code: Status.CANCELLED });
});

test("who stops reading ends the call; who never begins makes none", async () => {
  const { port, caller } = portTo(async function* () {
    yield part("some");
    await new Promise(() => {});
  });
  port.streamBlob(some.digest);
  assert.equal(caller.calls.length, 0);
  for await (const bytes of port.streamBlob(some.digest)) {
    assert.equal(bytes.toString(), "some");
    break;
  }
  assert.equal(caller.calls[0]!.cancelled, true);
});

test("a digest that is none is INVALID_ARGUMENT, without a call", async () => {
  const { port, caller } = portTo(() => [], { dialect: OLD });
  const wrong = [
    { hash: some.digest.hash.toUpperCase(), sizeBytes: 10 },
    { hash: "abc", sizeBytes: 10 },
    { hash: some.digest.hash, sizeBytes: -1 },
    // A length that no function offered by this upstream has.
    { hash: "ab".repeat(20), sizeBytes: 10 },
  ];
  for (const digest of wrong) {
    await assert.rejects(port.readBlob(digest, 100), {
      name: "UpstreamError",
      code: Status.INVALID_ARGUMENT,
    });
  }
  assert.equal(caller.calls.length, 0);
});
