import assert from "node:assert/strict";
import { test } from "node:test";
import { unpackAny } from "../../src/spec/any.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { Status } from "../../src/wire/status.ts";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { CallFailed, ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";

type Operation = Messages["google.longrunning.Operation"];

for (const [upstream, minor] of [
  ["embedded", 12],
  ["embedded:2.1", 1],
] as const) {
  test(`--upstream ${upstream}: blobs, results and executions work through the bridge`, async (t) => {
    const bridge = await startBridgeProcess(upstream);
    t.after(() => bridge.stop());
    const client = new ReapiClient(t, bridge.address);
    const { highApiVersion } = await client.unary<V2Message<"ServerCapabilities">>(
      "Capabilities/GetCapabilities",
      {},
    );
    assert.equal(highApiVersion?.minor, minor);
    const blob = Buffer.alloc(5_000_000, "blob");
    const { hash, sizeBytes } = sha256(blob);
    await client.write(`uploads/1/blobs/${hash}/${sizeBytes}`, [
      blob.subarray(0, 3_000_000),
      blob.subarray(3_000_000),
    ]);
    assert.deepEqual(await client.read(`blobs/${hash}/${sizeBytes}`), blob);
    const commandDigest = await client.storeMessage(`${V2}.Command`, { arguments: ["/bin/echo", "hello"] });
    const inputRootDigest = await client.storeMessage(`${V2}.Directory`, {});
    const actionDigest = await client.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest });
    const operations = await client.all<Operation>("Execution/Execute", { actionDigest });
    const { result } = unpackAny(client.codec, `${V2}.ExecuteResponse`, operations.at(-1)!.response)!;
    const { stdoutDigest } = result!;
    const stdout = await client.read(`blobs/${stdoutDigest!.hash}/${stdoutDigest!.sizeBytes}`);
    assert.equal(stdout.toString(), "hello\n");
    const found = await client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", {
      actionDigest,
    });
    assert.equal(found.stdoutDigest?.hash, stdoutDigest!.hash);
  });
}

test("--upstream embedded:SERVER plays that server behind the bridge; a name nobody knows ends the start", async (t) => {
  const bridge = await startBridgeProcess("embedded:buildbarn@2026-03-26");
  t.after(() => bridge.stop());
  const client = new ReapiClient(t, bridge.address);
  const { lowApiVersion, deprecatedApiVersion } = await client.unary<V2Message<"ServerCapabilities">>(
    "Capabilities/GetCapabilities",
    {},
  );
  // 2.3 as announced, and all before it, whose clients are served as well.
  assert.deepEqual([deprecatedApiVersion?.minor, lowApiVersion?.minor], [undefined, 0]);
  await assert.rejects(client.unary("ContentAddressableStorage/SplitBlob", { blobDigest: sha256("") }), {
    code: Status.UNIMPLEMENTED,
    message: /^SplitBlob or SpliceBlob .* "Buildbarn from 2026-03-26" .* does not have it/,
  });
  const unknown = startBridgeProcess("embedded:buildbran@2026-03-26");
  await assert.rejects(
    unknown,
    /exit code 2; .*--upstream: embedded:.*"buildbran"; did you mean "buildbarn"/,
  );
});

test("errors of the embedded server come through with their details", async (t) => {
  const bridge = await startBridgeProcess("embedded");
  t.after(() => bridge.stop());
  const client = new ReapiClient(t, bridge.address);
  const update = client.unary("ActionCache/UpdateActionResult", {
    actionDigest: sha256("x"),
    actionResult: {},
  });
  const error: unknown = await update.catch((caught: unknown) => caught);
  assert.ok(error instanceof CallFailed);
  assert.equal(error.code, Status.FAILED_PRECONDITION);
  assert.match(error.status!.details[0]!.typeUrl, /PreconditionFailure$/);
});
