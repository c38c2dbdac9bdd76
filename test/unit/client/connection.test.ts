import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CallFailed } from "../../../src/client/call-failed.ts";
import { Connection, type ConnectionOptions } from "../../../src/client/connection.ts";
import { CallError } from "../../../src/embedded/call-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { type Handler, scriptedServer } from "../../peers/client/scripted-server.ts";

const FIND = "/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs";

async function connected(t: TestContext, handler: Handler, options: ConnectionOptions = {}) {
  const { address, asked } = await scriptedServer(t, {
    "ContentAddressableStorage/FindMissingBlobs": handler,
  });
  const connection = new Connection(address, options);
  t.after(() => connection.close());
  return { connection, asked };
}

const never: Handler = () => new Promise(() => {});

function endsIn(code: number) {
  return (error: unknown) => error instanceof CallFailed && error.code === code && error.path === FIND;
}

test("a call that takes too long, or is cancelled before or while it runs, has failed", async (t) => {
  const late = await connected(t, never, { callMs: 50 });
  await assert.rejects(late.connection.unary(FIND, {}), endsIn(Status.DEADLINE_EXCEEDED));
  const controller = new AbortController();
  const { connection } = await connected(t, never, { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(connection.unary(FIND, {}), endsIn(Status.CANCELLED));
  await assert.rejects(connection.unary(FIND, {}), endsIn(Status.CANCELLED));
});

test("neither side of a call has fields that the level lacks", async (t) => {
  const { connection, asked } = await connected(t, () => ({}), { level: "2.4" });
  await connection.unary(FIND, { instanceName: "a", digestFunction: 1 });
  const { instanceName, digestFunction } = asked[0]!.request;
  assert.deepEqual([instanceName, digestFunction], ["a", 0]);
});

test("details that cannot be read leave the status and the message", async (t) => {
  const { connection } = await connected(t, () => {
    throw new CallError(Status.INTERNAL, "broken", [
      { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Buffer.from([0x0a, 0xff]) },
      { typeUrl: "type.googleapis.com/google.rpc.PreconditionFailure", value: Buffer.from([0x0a, 0xff]) },
    ]);
  });
  const error = await connection.unary(FIND, {}).catch((reason: unknown) => reason);
  assert(error instanceof CallFailed);
  assert.deepEqual([error.code, error.message, error.errorInfo, error.violations], [13, "broken", null, []]);
  assert.equal(error.text, `the call ${FIND} failed: 13 INTERNAL: broken`);
});

test("a response that cannot be read is a failure of the call", async (t) => {
  const { connection } = await connected(t, () => Buffer.from([0x12, 0xff]));
  await assert.rejects(connection.unary(FIND, {}), endsIn(Status.INTERNAL));
});

test("a method that no level has is a mistake of the caller", async (t) => {
  const { connection } = await connected(t, never);
  await assert.rejects(connection.unary("/no.Such/Method", {}), { name: "RangeError", message: /no method/ });
});
