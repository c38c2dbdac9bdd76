import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { capabilities } from "../support/capabilities.ts";
import { CallFailed, ReapiClient, V2 } from "../support/reapi-client.ts";
import { type Answers, recordingServer } from "../support/recording-server.ts";

// When and how often the bridge asks what its upstream is.

const FIND = `/${V2}.ContentAddressableStorage/FindMissingBlobs`;
const VENDOR = "/vendor.Metrics/Push";
const NOTHING = Buffer.alloc(0);

async function before(t: TestContext, answers: Answers) {
  const server = await recordingServer(t, answers, { extra: [VENDOR] });
  const bridge = await bridgeTo(t, server.address);
  const rounds = () => server.of("Capabilities/GetCapabilities").length;
  return { server, rounds, address: bridge.address, client: new ReapiClient(t, bridge.address) };
}

const slowly =
  (ms: number, message: Buffer): Answers[string] =>
  () =>
    new Promise((resolve) => setTimeout(resolve, ms, message).unref());

test("many first calls at once, of many clients, make one round of questions", async (t) => {
  const { server, rounds, address } = await before(t, {
    "Capabilities/GetCapabilities": slowly(50, capabilities(12)),
  });
  const clients = Array.from({ length: 5 }, () => new ReapiClient(t, address));
  await Promise.all(
    clients.flatMap((client) => Array.from({ length: 10 }, () => client.unaryBytes(FIND, NOTHING))),
  );
  assert.equal(rounds(), 1);
  assert.equal(server.of("ContentAddressableStorage/BatchReadBlobs").length, 1);
  const asked = new Set(server.calls.map(({ method }) => method));
  assert.ok(!asked.has("Execution/Execute") && !asked.has("ActionCache/UpdateActionResult"));
  assert.ok(!asked.has("ByteStream/Write"), "nothing is written");
});

test("calls of methods that no plan touches never wait, and start no questions", async (t) => {
  const { rounds, client } = await before(t, {
    "Capabilities/GetCapabilities": slowly(60_000, NOTHING),
    "Metrics/Push": () => Buffer.from("pushed"),
  });
  assert.equal((await client.unaryBytes(VENDOR, NOTHING)).toString(), "pushed");
  assert.equal(rounds(), 0);
});

test("a call with a short deadline ends at it while the upstream is being asked, and the answer is for those after it", async (t) => {
  const { rounds, client, address } = await before(t, {
    "Capabilities/GetCapabilities": slowly(400, capabilities(12)),
  });
  const hasty = new Connection(address, { callMs: 100 });
  t.after(() => hasty.close());
  const begun = performance.now();
  await assert.rejects(hasty.unaryBytes(FIND, NOTHING), { code: Status.DEADLINE_EXCEEDED });
  assert.ok(performance.now() - begun < 350);
  assert.deepEqual(await client.unaryBytes(FIND, NOTHING), NOTHING);
  assert.equal(rounds(), 1);
});

test("a call that waited goes on with what is left of its time", async (t) => {
  const { server, address } = await before(t, {
    "Capabilities/GetCapabilities": slowly(300, capabilities(12)),
  });
  const client = new Connection(address, { callMs: 5_000 });
  t.after(() => client.close());
  await client.unaryBytes(FIND, NOTHING);
  const { timeoutMs } = server.of("ContentAddressableStorage/FindMissingBlobs").at(-1)!;
  assert.ok(timeoutMs > 3_000 && timeoutMs < 4_800, `${timeoutMs}`);
});

test("an upstream that does not say what it is keeps calls for two seconds, once", async (t) => {
  const { rounds, client } = await before(t, {
    "Capabilities/GetCapabilities": slowly(60_000, NOTHING),
  });
  const begun = performance.now();
  assert.deepEqual(await client.unaryBytes(FIND, NOTHING), NOTHING);
  const waited = performance.now() - begun;
  assert.ok(waited > 1_900 && waited < 4_000, `${waited}`);
  await client.unaryBytes(FIND, NOTHING);
  assert.ok(performance.now() - begun < waited + 500);
  assert.equal(rounds(), 1);
});

test("a server without the service of capabilities is known by its other answers", async (t) => {
  const { rounds, client } = await before(t, {});
  assert.deepEqual(await client.unaryBytes(FIND, NOTHING), NOTHING);
  assert.equal(rounds(), 1);
  await assert.rejects(client.unaryBytes(GET_CAPABILITIES, NOTHING), (error) => {
    assert.ok(error instanceof CallFailed);
    assert.equal(error.code, Status.UNIMPLEMENTED);
    return true;
  });
});
