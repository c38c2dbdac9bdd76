/** What tests do to an embedded server while it runs, and what clients see of it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { blobOf } from "../../src/client/blob.ts";
import { Connection } from "../../src/client/connection.ts";
import { mannerOf } from "../../src/client/manner.ts";
import { RemoteClient } from "../../src/client/remote-client.ts";
import { sampleOf } from "../../src/client/samples.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { Status } from "../../src/wire/status.ts";
import { playClient } from "../peers/client/play-client.ts";
import { execute, playing, storeScript } from "../support/played-server.ts";
import { embedded, failure, type ReapiClient, sha256, type V2Message } from "../support/reapi-client.ts";

type Operation = Messages["google.longrunning.Operation"];
const CAS = "ContentAddressableStorage";

/** A script that says by a file that it may end. */
async function waiting(t: TestContext): Promise<{ run: string; go(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "controls-"));
  t.after(() => rm(dir, { recursive: true }));
  const run = `while [ ! -e ${dir}/go ]; do sleep 0.01; done; echo made > out.txt`;
  return { run, go: () => writeFile(join(dir, "go"), "") };
}

/** An execution under way, and the name of its operation. */
async function running(t: TestContext, client: ReapiClient) {
  const { run, go } = await waiting(t);
  const actionDigest = await storeScript(client, { run, command: { outputPaths: ["out.txt"] } });
  const stream = client.stream<Operation>("Execution/Execute", { actionDigest })[Symbol.asyncIterator]();
  const { value } = await stream.next();
  const rest = async () => {
    const states: Operation[] = [];
    for (;;) {
      const { value: state, done } = await stream.next();
      if (done) return states;
      states.push(state);
    }
  };
  return { name: (value as Operation).name, actionDigest, rest, go };
}

test("calls are counted by method", async (t) => {
  const { client, controls } = await embedded(t);
  assert.equal(controls.calls(`${CAS}/FindMissingBlobs`), 0);
  await client.unary(`${CAS}/FindMissingBlobs`, {});
  await client.unary(`${CAS}/FindMissingBlobs`, { blobDigests: [{ hash: "00" }] }).catch(() => {});
  await client.write("uploads/1/blobs/00/0", [Buffer.alloc(0)]).catch(() => {});
  await client.read("nonsense").catch(() => {});
  const methods = [`${CAS}/FindMissingBlobs`, "ByteStream/Write", "ByteStream/Read", "Execution/Execute"];
  assert.deepEqual(
    methods.map((method) => controls.calls(method)),
    [2, 1, 1, 0],
  );
});

test("a blob that is evicted is missing, and a result that refers to it is a miss", async (t) => {
  const { client, controls } = await embedded(t);
  const [digest] = await client.store("here today");
  const actionDigest = await storeScript(client, { run: "echo made > out.txt" });
  await client.unary("ActionCache/UpdateActionResult", {
    actionDigest,
    actionResult: { outputFiles: [{ path: "a", digest }] },
  });
  assert.equal(await controls.evict(digest!), true);
  assert.equal(await controls.evict(digest!), false);
  const { missingBlobDigests } = await client.unary<V2Message<"FindMissingBlobsResponse">>(
    `${CAS}/FindMissingBlobs`,
    { blobDigests: [digest] },
  );
  assert.equal(missingBlobDigests.length, 1);
  assert.equal((await failure(client.unary("ActionCache/GetActionResult", { actionDigest }))).code, 5);
});

test("an input that is evicted after its upload is told as missing, and goes up again with the next build", async (t) => {
  const { address, controls } = await embedded(t);
  const connection = new Connection(address);
  t.after(() => connection.close());
  const client = new RemoteClient(connection, mannerOf("2.12"));
  const { spec, inputs } = sampleOf("among-inputs");
  const { encoded, blobs } = client.prepare(spec, client.inputs(inputs));
  await client.store.upload(blobs);
  const input = blobOf("deep\n").digest;
  await controls.evict(input);
  const { code, violations } = await failure(client.execution.execute(encoded.action.digest));
  assert.equal(code, Status.FAILED_PRECONDITION);
  assert.deepEqual(
    violations.map(({ type, subject }) => [type, subject]),
    [["MISSING", `blobs/${input.hash}/${input.sizeBytes}`]],
  );
  assert.equal((await client.run(spec, client.inputs(inputs))).result.exitCode, 0);
});

test("streams break with a status, or end as if all were well; the action runs on, and can be waited for", async (t) => {
  const { client, controls } = await embedded(t);
  const broken = await running(t, client);
  const rest = broken.rest();
  controls.cutStreams(Status.UNAVAILABLE);
  assert.equal((await failure(rest)).code, Status.UNAVAILABLE);
  const wait = client.all<Operation>("Execution/WaitExecution", { name: broken.name });
  await broken.go();
  assert.equal((await wait).at(-1)!.done, true);

  const ended = await running(t, client);
  const quiet = ended.rest();
  controls.cutStreams(null);
  assert.ok((await quiet).every(({ done }) => !done));
  await ended.go();
  const again = await client.all<Operation>("Execution/WaitExecution", { name: ended.name });
  assert.equal(again.at(-1)!.done, true);
});

test("operations that are forgotten are unknown, and their results are in the cache", async (t) => {
  const { client, controls } = await embedded(t);
  const { name, rest, go, actionDigest } = await running(t, client);
  controls.forgetOperations();
  for (const call of [
    client.all("Execution/WaitExecution", { name }),
    client.unary("/google.longrunning.Operations/GetOperation", { name }),
  ]) {
    assert.equal((await failure(call)).code, Status.NOT_FOUND);
  }
  await go();
  assert.equal((await rest()).at(-1)!.done, true);
  const result = await client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", {
    actionDigest,
  });
  assert.equal(result.outputFiles.length, 1);
});

test("BuildGrid calls unknown operations an invalid argument; others do not find them", async (t) => {
  for (const [server, code] of [
    ["buildgrid@2019", Status.INVALID_ARGUMENT],
    ["buildfarm@1.17", Status.NOT_FOUND],
    ["nativelink@1.6", Status.NOT_FOUND],
  ] as const) {
    const { client } = await playing(t, server);
    const wait = client.all("Execution/WaitExecution", { name: "operations/of-old" });
    assert.equal((await failure(wait)).code, code, server);
  }
});

test("a client that meets a broken stream waits, or executes again, as it does", async (t) => {
  for (const [as, waits] of [
    ["2.12", 1],
    [shippedProfiles().resolve("client", "buck2"), 0],
  ] as const) {
    const { address, controls } = await embedded(t);
    const { run, go } = await waiting(t);
    const played = playClient({ address, as });
    t.after(() => played.close());
    const sample = sampleOf("file");
    const build = played.buildSample({ ...sample, spec: { ...sample.spec, arguments: ["-c", run] } });
    const calls = () => controls.calls("Execution/WaitExecution") + controls.calls("Execution/Execute");
    // The client comes back as soon as it notices.
    while (calls() < 2) {
      controls.cutStreams(Status.UNAVAILABLE);
      await new Promise((next) => setTimeout(next, 5));
    }
    await go();
    assert.deepEqual((await build).report?.wrong, []);
    assert.equal(controls.calls("Execution/WaitExecution"), waits);
  }
});

test("a cache that is read-only says so and refuses results; executions write them", async (t) => {
  const { client } = await embedded(t, "2.12", { readOnly: ["cache"] });
  const { cacheCapabilities } = await client.unary<V2Message<"ServerCapabilities">>(
    "Capabilities/GetCapabilities",
    {},
  );
  assert.equal(cacheCapabilities?.actionCacheUpdateCapabilities?.updateEnabled, false);
  const script = { run: "true" };
  const actionDigest = await storeScript(client, script);
  const update = client.unary("ActionCache/UpdateActionResult", {
    actionDigest,
    actionResult: { exitCode: 0 },
  });
  assert.equal((await failure(update)).code, Status.PERMISSION_DENIED);
  assert.equal((await execute(client, script)).cachedResult, false);
  assert.equal((await execute(client, script)).cachedResult, true);
});

test("a store that is read-only takes no blobs, by any way; blobs that are there can be read", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "read-only-"));
  t.after(() => rm(dir, { recursive: true }));
  const open = await embedded(t, "2.12", { dir });
  const [there] = await open.client.store("there");
  const script = { run: "echo made > out.txt", command: { outputPaths: ["out.txt"] } };
  const actionDigest = await storeScript(open.client, script);
  await open.stop();

  const { client } = await embedded(t, "2.12", { dir, readOnly: ["store"] });
  assert.equal((await client.read(`blobs/${there!.hash}/${there!.sizeBytes}`)).toString(), "there");
  const fresh = sha256("fresh");
  const { responses } = await client.unary<V2Message<"BatchUpdateBlobsResponse">>(`${CAS}/BatchUpdateBlobs`, {
    requests: [{ digest: fresh, data: Buffer.from("fresh") }],
  });
  assert.equal(responses[0]?.status?.code, Status.PERMISSION_DENIED);
  for (const call of [
    client.write(`uploads/1/blobs/${fresh.hash}/${fresh.sizeBytes}`, [Buffer.from("fresh")]),
    client.unary(`${CAS}/SpliceBlob`, { blobDigest: sha256("therethere"), chunkDigests: [there, there] }),
  ]) {
    assert.equal((await failure(call)).code, Status.PERMISSION_DENIED);
  }
  const last = (await client.all<Operation>("Execution/Execute", { actionDigest })).at(-1);
  assert.equal(last?.done, true);
});
