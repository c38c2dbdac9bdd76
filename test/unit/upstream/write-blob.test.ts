import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { Status } from "../../../src/wire/status.ts";
import { failure, type ScriptedCall } from "../../support/scripted-caller.ts";
import { blob, NEW, OLD, portTo } from "./support.ts";

const committed = (committedSize: number): Buffer =>
  codec().encode("google.bytestream.WriteResponse", { committedSize });
const some = blob("some bytes");

/** Takes all requests and says that so many bytes are stored. */
async function* store(call: ScriptedCall, size: number): AsyncGenerator<Buffer, void, void> {
  for await (const _ of call.requests());
  yield committed(size);
}

const requestsOf = (call: ScriptedCall) =>
  call.taken.map((bytes) => codec().decode("google.bytestream.WriteRequest", bytes));

test("the name goes once, offsets follow, and the last message says so", async () => {
  const { port, caller } = portTo((call) => store(call, 10));
  await port.writeBlob(some.digest, [Buffer.from("some"), Buffer.alloc(0), Buffer.from(" bytes")]);
  const [first, second, ...rest] = requestsOf(caller.calls[0]!);
  assert.match(first!.resourceName, new RegExp(`^main/uploads/[0-9a-f-]{36}/blobs/${some.digest.hash}/10$`));
  assert.equal(first!.resourceName, caller.calls[0]!.resourceName);
  assert.deepEqual([first!.writeOffset, first!.finishWrite, String(first!.data)], [0n, false, "some"]);
  assert.deepEqual(
    [second!.resourceName, second!.writeOffset, second!.finishWrite, String(second!.data)],
    ["", 4n, true, " bytes"],
  );
  assert.equal(rest.length, 0);
});

test("long parts are cut, to less than the upstream takes in one message", async () => {
  const large = blob(Buffer.alloc(600 * 1024, "x"));
  for (const [maxMessageBytes, longest] of [
    [4 * 1024 * 1024, 256 * 1024],
    [64 * 1024, 32 * 1024],
  ] as const) {
    const { port, caller } = portTo((call) => store(call, large.bytes.length), {
      dialect: { ...NEW, maxMessageBytes },
    });
    await port.writeBlob(large.digest, [large.bytes]);
    const data = requestsOf(caller.calls[0]!).map((request) => Buffer.from(request.data));
    assert.equal(Math.max(...data.map(({ length }) => length)), longest);
    assert.ok(Buffer.concat(data).equals(large.bytes));
  }
});

test("an upstream that has the blob already ends the call early, and the rest is not read", async () => {
  let given = 0;
  const closed = Promise.withResolvers<void>();
  async function* endless() {
    try {
      for (;;) {
        given++;
        yield Buffer.alloc(1000);
      }
    } finally {
      closed.resolve();
    }
  }
  const huge = { hash: some.digest.hash, sizeBytes: 2 ** 40 };
  const { port } = portTo(async function* (call) {
    await call.request();
    yield committed(2 ** 40);
  });
  await port.writeBlob(huge, endless());
  assert.ok(given < 5, `${given} parts`);
  await closed.promise;
});

test("ALREADY_EXISTS means that the blob is stored", async () => {
  const { port } = portTo(() => {
    throw failure(Status.ALREADY_EXISTS);
  });
  await port.writeBlob(some.digest, [some.bytes]);
});

test("an upstream that reads nothing and fails is heard", async () => {
  const { port, caller } = portTo(() => {
    throw failure(Status.PERMISSION_DENIED, "read-only");
  });
  await assert.rejects(port.writeBlob(some.digest, [some.bytes]), {
    name: "UpstreamError",
    code: Status.PERMISSION_DENIED,
    message: "read-only",
  });
  assert.equal(caller.calls.length, 1);
});

test("an upstream that stores less than all has not stored the blob", async () => {
  for (const size of [9, 0, -1]) {
    const { port } = portTo((call) => store(call, size));
    await assert.rejects(port.writeBlob(some.digest, [some.bytes]), { code: Status.INTERNAL });
  }
});

test("content of another length than the digest says is refused, and the call ended", async () => {
  for (const content of ["some bytes!", "some byte"]) {
    const { port, caller } = portTo((call) => store(call, 10));
    await assert.rejects(port.writeBlob(some.digest, [Buffer.from(content)]), {
      name: "UpstreamError",
      code: Status.INVALID_ARGUMENT,
    });
    assert.equal(caller.calls[0]!.cancelled, true);
  }
});

test("a source that fails ends the call, and its error comes as it is", async () => {
  const broken = new RangeError("no more");
  async function* source() {
    yield Buffer.from("some");
    throw broken;
  }
  const { port, caller } = portTo((call) => store(call, 10));
  await assert.rejects(port.writeBlob(some.digest, source()), broken);
  assert.equal(caller.calls[0]!.cancelled, true);
});

test("the empty blob goes in a batch where there are batches, else in one message", async () => {
  const empty = blob("");
  const streaming = portTo((call) => store(call, 0), { dialect: OLD });
  await streaming.port.writeBlob(empty.digest, []);
  const [request, ...rest] = requestsOf(streaming.caller.calls[0]!);
  assert.deepEqual([request!.finishWrite, request!.data.length, rest.length], [true, 0, 0]);

  const batching = portTo(() => [
    codec().encode("build.bazel.remote.execution.v2.BatchUpdateBlobsResponse", {
      responses: [{ digest: empty.digest }],
    }),
  ]);
  await batching.port.writeBlob(empty.digest, [Buffer.alloc(0)]);
  assert.match(batching.caller.calls[0]!.path, /BatchUpdateBlobs$/);
  await assert.rejects(batching.port.writeBlob(empty.digest, [some.bytes]), {
    code: Status.INVALID_ARGUMENT,
  });
  assert.equal(batching.caller.calls.length, 1);
});
