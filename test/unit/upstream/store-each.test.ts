import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { failure } from "../../support/scripted-caller.ts";
import { blob, NEW, portTo } from "./support.ts";

const BLOBS = Array.from({ length: 20 }, (_, at) => blob(`content ${at}`));
const GIVEN = BLOBS.map(({ digest, bytes }) => ({ digest, parts: [bytes] }));

test("blobs are stored by streams, eight at a time, whatever batches there are, and each ends as it does", async () => {
  let running = 0;
  let most = 0;
  const { port, caller } = portTo(
    async function* (call) {
      most = Math.max(most, ++running);
      for await (const _ of call.requests());
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (caller.calls.indexOf(call) === 2) throw failure(Status.PERMISSION_DENIED, "not this one");
      const { sizeBytes } = BLOBS.find(({ digest }) => call.resourceName!.includes(digest.hash))!.digest;
      yield codec().encode("google.bytestream.WriteResponse", { committedSize: sizeBytes });
    },
    { dialect: NEW },
  );
  const stored = await collect(port.storeEach(GIVEN));
  assert.equal(stored.length, 20);
  const refused = stored.filter(({ error }) => error !== null);
  assert.deepEqual(
    refused.map(({ digest, error }) => [digest, error?.code, error?.message]),
    [[BLOBS[2]!.digest, Status.PERMISSION_DENIED, "not this one"]],
  );
  assert.equal(most, 8);
});

test("whoever leaves ends all calls", async () => {
  const { port, caller } = portTo(async function* (call) {
    for await (const _ of call.requests());
    if (caller.calls.indexOf(call) !== 3) await new Promise(() => {});
    yield codec().encode("google.bytestream.WriteResponse", { committedSize: 9 });
  });
  for await (const { digest, error } of port.storeEach(GIVEN)) {
    assert.deepEqual([digest, error], [BLOBS[3]!.digest, null]);
    break;
  }
  assert.equal(caller.calls.length, 8);
  assert.equal(caller.calls.filter(({ cancelled }) => cancelled).length, 7);
});

test("an error of the parts is told of their blob; another one is a defect", async () => {
  const broken = async function* (error: Error) {
    yield Buffer.from("con");
    throw error;
  };
  const given = (error: Error) => [{ digest: BLOBS[0]!.digest, parts: broken(error) }];
  const { port } = portTo(async function* (call) {
    for await (const _ of call.requests());
    yield Buffer.alloc(0);
  });
  const known = new UpstreamError(Status.INVALID_ARGUMENT, "no such data");
  assert.deepEqual(await collect(port.storeEach(given(known))), [{ digest: BLOBS[0]!.digest, error: known }]);
  await assert.rejects(collect(port.storeEach(given(new RangeError("a mistake")))), RangeError);
});
