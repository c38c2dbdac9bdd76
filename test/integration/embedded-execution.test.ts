import assert from "node:assert/strict";
import { test } from "node:test";
import { unpackAny } from "../../src/spec/any.ts";
import { enums } from "../../src/spec/generated/enums.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import { Status } from "../../src/wire/status.ts";
import {
  type BlobName,
  embedded,
  type ReapiClient,
  sha256,
  V2,
  type V2Message,
} from "../support/reapi-client.ts";

const EXECUTE = "Execution/Execute";
const WAIT = "Execution/WaitExecution";
const OPERATIONS = "/google.longrunning.Operations";

type Operation = Messages["google.longrunning.Operation"];
type ListResponse = Messages["google.longrunning.ListOperationsResponse"];

/** Stores an action that runs a shell script with outputs `out`; returns its digest. */
async function script(client: ReapiClient, text: string, doNotCache = false): Promise<BlobName> {
  const commandDigest = await client.storeMessage(`${V2}.Command`, {
    arguments: ["/bin/sh", "-c", text],
    outputFiles: ["out"],
    environmentVariables: [{ name: "PATH", value: "/usr/bin:/bin" }],
  });
  const inputRootDigest = await client.storeMessage(`${V2}.Directory`, {});
  return client.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest, doNotCache });
}

function responseIn(client: ReapiClient, operation: Operation | undefined): V2Message<"ExecuteResponse"> {
  assert.equal(operation?.done, true);
  const response = unpackAny(client.codec, `${V2}.ExecuteResponse`, operation!.response);
  assert.ok(response !== null);
  return response;
}

function stageOf(client: ReapiClient, { metadata }: Operation): number | undefined {
  return unpackAny(client.codec, `${V2}.ExecuteOperationMetadata`, metadata)?.stage;
}

for (const level of LEVELS) {
  test(`${level}: a command runs, its outputs are stored, and the next time it is a hit`, async (t) => {
    const { client } = await embedded(t, level);
    const actionDigest = await script(client, "echo made > out; echo said");
    const operations = await client.all<Operation>(EXECUTE, { actionDigest });
    assert.equal(stageOf(client, operations.at(-1)!), enums.ExecutionStage.COMPLETED);
    const { result, cachedResult, status } = responseIn(client, operations.at(-1));
    assert.equal(status?.code ?? 0, Status.OK, status?.message ?? "");
    assert.deepEqual([result?.exitCode, cachedResult], [0, false]);
    const { digest } = result!.outputFiles[0]!;
    assert.equal((await client.read(`blobs/${digest!.hash}/${digest!.sizeBytes}`)).toString(), "made\n");
    const again = responseIn(client, (await client.all<Operation>(EXECUTE, { actionDigest })).at(-1));
    assert.equal(again.cachedResult, true);
    await client.unary("ActionCache/GetActionResult", { actionDigest });
  });
}

test("another call may wait for an execution whose caller has left", async (t) => {
  const { client } = await embedded(t);
  const actionDigest = await script(client, "read line < /dev/zero & sleep 60; echo never > out", true);
  const left = new AbortController();
  let name = "";
  await assert.rejects(
    async () => {
      for await (const operation of client.stream<Operation>(EXECUTE, { actionDigest }, left.signal)) {
        name = operation.name;
        left.abort();
      }
    },
    { code: Status.CANCELLED },
  );
  const current = await client.unary<Operation>(`${OPERATIONS}/GetOperation`, { name });
  assert.equal(current.done, false);
  const waited = client.all<Operation>(WAIT, { name });
  const none = await client.unary<Operation>(`${OPERATIONS}/WaitOperation`, {
    name,
    timeout: { nanos: 1000 },
  });
  assert.equal(none.done, false);
  await client.unary(`${OPERATIONS}/CancelOperation`, { name });
  const { status } = responseIn(client, (await waited).at(-1));
  assert.equal(status?.code, Status.CANCELLED);
  const done = await client.unary<Operation>(`${OPERATIONS}/WaitOperation`, { name });
  assert.equal(done.done, true);
});

test("operations nobody knows are NOT_FOUND", async (t) => {
  const { client } = await embedded(t);
  const unknown = { code: Status.NOT_FOUND };
  await assert.rejects(client.all(WAIT, { name: "operations/none" }), unknown);
  await assert.rejects(client.unary(`${OPERATIONS}/GetOperation`, { name: "none" }), unknown);
  await assert.rejects(client.unary(`${OPERATIONS}/CancelOperation`, { name: "none" }), unknown);
  await assert.rejects(client.unary(`${OPERATIONS}/WaitOperation`, { name: "none" }), unknown);
});

test("operations are listed by instance, in pages", async (t) => {
  const { client } = await embedded(t);
  for (const [instanceName, text] of [
    ["a", "1"],
    ["a", "2"],
    ["b", "3"],
  ] as const) {
    await client.all(EXECUTE, { instanceName, actionDigest: await script(client, `echo ${text} > out`) });
  }
  const list = (request: object) =>
    client.unary<ListResponse>(`${OPERATIONS}/ListOperations`, { ...request });
  assert.equal((await list({})).operations.length, 3);
  const first = await list({ name: "a", pageSize: 1 });
  const second = await list({ name: "a", pageSize: 1, pageToken: first.nextPageToken });
  const names = [...first.operations, ...second.operations].map(({ name }) => name);
  assert.equal(new Set(names).size, 2);
  assert.ok(names.every((name) => name.startsWith("a/")));
  assert.equal(second.nextPageToken, "");
  await assert.rejects(list({ filter: "done" }), { code: Status.INVALID_ARGUMENT });
  await assert.rejects(list({ pageToken: "x" }), { code: Status.INVALID_ARGUMENT });
});

test("an action that is not stored is said to be missing, in the response", async (t) => {
  const { client } = await embedded(t);
  const operations = await client.all<Operation>(EXECUTE, { actionDigest: sha256("no action") });
  assert.equal(responseIn(client, operations.at(-1)).status?.code, Status.FAILED_PRECONDITION);
  await assert.rejects(client.all(EXECUTE, {}), { code: Status.INVALID_ARGUMENT });
});

test("stopping the server ends what runs", async (t) => {
  const { client, stop } = await embedded(t);
  const actionDigest = await script(client, "sleep 60", true);
  const states = client.stream<Operation>(EXECUTE, { actionDigest })[Symbol.asyncIterator]();
  await states.next();
  const end = assert.rejects(async () => {
    while ((await states.next()).done !== true);
  });
  await stop();
  await end;
});
