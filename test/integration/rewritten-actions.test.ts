import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { unpackAny } from "../../src/spec/any.ts";
import { codec } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { untagOperation } from "../../src/wire/operation-name.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { responseOf, storeScript } from "../support/played-server.ts";
import {
  type BlobName,
  embedded,
  failure,
  ReapiClient,
  V2,
  type V2Message,
} from "../support/reapi-client.ts";

// Actions that run as others, behind bridges that share nothing, come and go, and may not write: a client of output_paths before a server of 2.0.

type Operation = Messages["google.longrunning.Operation"];

const outputPaths = ["dir/file", "dir/tree"];
const script = (text: string) => ({
  run: `mkdir -p dir/tree; echo ${text} > dir/file; echo deep > dir/tree/deep`,
  command: { outputPaths },
});

/** A client behind a bridge of its own. */
async function bridged(t: TestContext, address: string) {
  const bridge = await bridgeTo(t, address);
  return { client: new ReapiClient(t, bridge.address), stop: () => bridge.stop() };
}

async function run(client: ReapiClient, actionDigest: BlobName, skipCacheLookup = false) {
  const operations = await client.all<Operation>("Execution/Execute", { actionDigest, skipCacheLookup });
  return operations.at(-1)!;
}

/** The outputs of a result: files and directories by path. */
function outputsOf(result: V2Message<"ActionResult"> | null): string[] {
  assert.ok(result);
  const { outputFiles, outputDirectories } = result;
  return [...outputFiles.map(({ path }) => path), ...outputDirectories.map(({ path }) => `${path}/`)].sort();
}

const ALL = ["dir/file", "dir/tree/"];

const cached = (client: ReapiClient, actionDigest: BlobName) =>
  client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", { actionDigest });

const metadataOf = (operation: Operation) =>
  unpackAny(codec(), `${V2}.ExecuteOperationMetadata`, operation.metadata)!;

test("what one bridge executes, another that shares nothing finds in the cache", async (t) => {
  const { address } = await embedded(t, "2.0");
  const [one, two] = [await bridged(t, address), await bridged(t, address)];
  const action = await storeScript(one.client, script("cached"));
  const operation = await run(one.client, action);
  assert.equal(metadataOf(operation).actionDigest!.hash, action.hash);
  assert.deepEqual(outputsOf(responseOf(one.client, operation).result), ALL);
  assert.deepEqual(outputsOf(await cached(two.client, action)), ALL);
  // Its own server knows the action by another name.
  const direct = new ReapiClient(t, address);
  assert.equal((await failure(cached(direct, action))).code, Status.NOT_FOUND);
});

test("an execution goes on at another bridge after its own was stopped, and the new one never saw its action", async (t) => {
  const { address } = await embedded(t, "2.0");
  const first = await bridged(t, address);
  const slow = { ...script("slow"), run: `sleep 1; ${script("slow").run}` };
  const action = await storeScript(first.client, slow);
  const stream = first.client.stream<Operation>("Execution/Execute", { actionDigest: action });
  let name = "";
  try {
    for await (const operation of stream) {
      name = operation.name;
      if (!operation.done) void first.stop();
    }
  } catch {
    // The stream breaks with its bridge.
  }
  const second = await bridged(t, address);
  const seen = await second.client.unary<Operation>("/google.longrunning.Operations/GetOperation", { name });
  assert.equal(metadataOf(seen).actionDigest!.hash, action.hash);
  const waited = await second.client.all<Operation>("Execution/WaitExecution", { name });
  assert.equal(waited.at(-1)!.name, name);
  assert.deepEqual(outputsOf(responseOf(second.client, waited.at(-1)).result), ALL);
});

test("an execution is cancelled at another bridge than its own", async (t) => {
  const { address } = await embedded(t, "2.0");
  const [one, two] = [await bridged(t, address), await bridged(t, address)];
  const action = await storeScript(one.client, { ...script("never"), run: "sleep 30" });
  let response = null;
  for await (const operation of one.client.stream<Operation>("Execution/Execute", { actionDigest: action })) {
    if (operation.done) response = responseOf(one.client, operation);
    else await two.client.unary("/google.longrunning.Operations/CancelOperation", { name: operation.name });
  }
  assert.equal(response?.status?.code, Status.CANCELLED);
});

test("blobs of the bridge's own that the server loses are made again", async (t) => {
  const { address, controls } = await embedded(t, "2.0");
  const { client } = await bridged(t, address);
  const action = await storeScript(client, script("lost"));
  const { name } = await run(client, action);
  const direct = new ReapiClient(t, address);
  const own = await direct.unary<Operation>("/google.longrunning.Operations/GetOperation", {
    name: untagOperation(name).name,
  });
  const mapped = metadataOf(own).actionDigest!;
  assert.notEqual(mapped.hash, action.hash);
  assert.ok(await controls.evict(mapped));
  assert.deepEqual(outputsOf(responseOf(client, await run(client, action, true)).result), ALL);

  const { outputDirectories } = await cached(client, action);
  assert.ok(await controls.evict(outputDirectories[0]!.treeDigest!));
  const again = await cached(client, action);
  assert.deepEqual(again.outputDirectories[0]!.treeDigest!.hash, outputDirectories[0]!.treeDigest!.hash);
  const { missingBlobDigests } = await direct.unary<V2Message<"FindMissingBlobsResponse">>(
    "ContentAddressableStorage/FindMissingBlobs",
    { blobDigests: [outputDirectories[0]!.treeDigest!] },
  );
  assert.deepEqual(missingBlobDigests, []);
});

test("a client's own action that is gone is asked for, by its own digest", async (t) => {
  const { address, controls } = await embedded(t, "2.0");
  const { client } = await bridged(t, address);
  const action = await storeScript(client, script("gone"));
  await run(client, action);
  assert.ok(await controls.evict(action));
  const error = await failure(run(client, action));
  assert.equal(error.code, Status.FAILED_PRECONDITION);
  assert.match(error.message, new RegExp(action.hash));
});

test("with a read-only action cache everything works", async (t) => {
  const { address } = await embedded(t, "2.0", { readOnly: ["cache"] });
  const { client } = await bridged(t, address);
  const action = await storeScript(client, script("read-only cache"));
  assert.deepEqual(outputsOf(responseOf(client, await run(client, action)).result), ALL);
  assert.deepEqual(outputsOf(await cached((await bridged(t, address)).client, action)), ALL);
});

test("with a read-only store what needs nothing stored works; the rest is a miss, or a refusal that names the blob", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "read-only-"));
  t.after(() => rm(dir, { recursive: true }));
  const writable = await embedded(t, "2.0", { dir });
  const builder = await bridged(t, writable.address);
  const known = await storeScript(builder.client, script("known"));
  await run(builder.client, known);
  const plain = await storeScript(builder.client, {
    run: "echo plain > out",
    command: { outputFiles: ["out"] },
  });
  const fresh = await storeScript(builder.client, script("fresh"));
  await builder.stop();
  await writable.stop();

  const { address, controls } = await embedded(t, "2.0", { dir, readOnly: ["store"] });
  const { client } = await bridged(t, address);
  assert.deepEqual(outputsOf(responseOf(client, await run(client, plain)).result), ["out"]);
  const result = await cached(client, known);
  assert.deepEqual(outputsOf(result), ALL);
  const refused = await failure(run(client, fresh));
  assert.equal(refused.code, Status.PERMISSION_DENIED);
  assert.match(refused.message, /does not take the blob [0-9a-f]{64}\/\d+/);
  assert.ok(await controls.evict(result.outputDirectories[0]!.treeDigest!));
  assert.equal((await failure(cached((await bridged(t, address)).client, known))).code, Status.NOT_FOUND);
});
