import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { capabilities } from "../support/capabilities.ts";
import { eventually } from "../support/eventually.ts";
import { CallFailed, ReapiClient, V2 } from "../support/reapi-client.ts";
import { type Answers, type Recorded, Refusal, recordingServer } from "../support/recording-server.ts";

// Callers with credentials and without before an upstream that tells nothing to those without.

const FIND = `/${V2}.ContentAddressableStorage/FindMissingBlobs`;
const NOTHING = Buffer.alloc(0);
const ALICE = { authorization: "Bearer alice" };
const BOB = { "x-buildbuddy-api-key": "bob" };

const whose = ({ metadata }: Recorded): string =>
  [...metadata.get("authorization"), ...metadata.get("x-buildbuddy-api-key")].join();

/** Lets a call through that has credentials. */
function known(call: Recorded): Buffer {
  if (whose(call) === "") throw new Refusal(Status.UNAUTHENTICATED, "who are you");
  return NOTHING;
}

/** A server that wants credentials for everything, and a bridge before it. */
async function guarded(t: TestContext, change: Answers = {}) {
  const server = await recordingServer(t, {
    "Capabilities/GetCapabilities": (call) => {
      known(call);
      return capabilities(12);
    },
    "ContentAddressableStorage/FindMissingBlobs": known,
    "ContentAddressableStorage/BatchReadBlobs": known,
    "ContentAddressableStorage/BatchUpdateBlobs": known,
    "ContentAddressableStorage/GetTree": known,
    ...change,
  });
  const bridge = await bridgeTo(t, server.address);
  return { server, client: new ReapiClient(t, bridge.address), bridge };
}

async function codeOf(call: Promise<unknown>): Promise<number> {
  try {
    await call;
    return 0;
  } catch (error) {
    assert.ok(error instanceof CallFailed, String(error));
    return error.code;
  }
}

test("a caller without credentials teaches nothing, and the next one with some is not kept waiting", async (t) => {
  const { server, client } = await guarded(t);
  assert.equal(await codeOf(client.unaryBytes(FIND, NOTHING)), Status.UNAUTHENTICATED);
  const asked = () => server.of("Capabilities/GetCapabilities").map(whose);
  assert.deepEqual(asked(), [""]);
  assert.equal(await codeOf(client.unaryBytes(FIND, NOTHING)), Status.UNAUTHENTICATED);
  assert.deepEqual(asked(), [""], "nobody asks again so soon with what did not help");
  assert.equal(await codeOf(client.unaryBytes(FIND, NOTHING, ALICE)), 0);
  assert.deepEqual(asked(), ["", "Bearer alice"]);
  assert.equal(await codeOf(client.unaryBytes(FIND, NOTHING, BOB)), 0);
  assert.deepEqual(asked(), ["", "Bearer alice"], "it is known now");
});

test("every call that is made for a caller has this caller's credentials, and no other's", async (t) => {
  const { server, client } = await guarded(t);
  await client.unaryBytes(FIND, NOTHING, ALICE);
  const probes = server.calls.map(whose);
  assert.ok(probes.length > 3, "it was probed");
  assert.deepEqual(new Set(probes), new Set(["Bearer alice"]));
  const before = server.calls.length;
  await client.unaryBytes(FIND, NOTHING, BOB);
  await client.unaryBytes(GET_CAPABILITIES, NOTHING, BOB);
  assert.equal(await codeOf(client.unaryBytes(GET_CAPABILITIES, NOTHING)), Status.UNAUTHENTICATED);
  assert.deepEqual(server.calls.slice(before).map(whose), ["bob", "bob", ""]);
});

test("GetCapabilities is answered with what the upstream tells this caller, never with what it told another", async (t) => {
  const { client } = await guarded(t, {
    "Capabilities/GetCapabilities": (call) => {
      known(call);
      return whose(call) === "bob" ? capabilities(3) : capabilities(5);
    },
  });
  const told = async (headers: Record<string, string>) =>
    (await client.unaryBytes(GET_CAPABILITIES, NOTHING, headers)).toString("hex");
  const [alice, bob] = [await told(ALICE), await told(BOB)];
  assert.notEqual(alice, bob);
  assert.deepEqual([await told(BOB), await told(ALICE)], [bob, alice]);
});

test("those who wait for what a caller without credentials finds out do so themselves", async (t) => {
  const first = Promise.withResolvers<void>();
  const { server, client } = await guarded(t, {
    "Capabilities/GetCapabilities": async (call) => {
      if (whose(call) === "") await first.promise;
      known(call);
      return capabilities(12);
    },
  });
  const without = codeOf(client.unaryBytes(FIND, NOTHING));
  await eventually(() => server.of("Capabilities/GetCapabilities").length === 1, "somebody asks");
  const with_ = codeOf(client.unaryBytes(FIND, NOTHING, ALICE));
  first.resolve();
  assert.deepEqual(await Promise.all([without, with_]), [Status.UNAUTHENTICATED, 0]);
  assert.deepEqual(server.of("Capabilities/GetCapabilities").map(whose), ["", "Bearer alice"]);
});

test("what a client asked that has left holds up nobody", async (t) => {
  const held = Promise.withResolvers<void>();
  let times = 0;
  const { server, client, bridge } = await guarded(t, {
    "Capabilities/GetCapabilities": async () => {
      if (times++ === 0) await held.promise;
      return capabilities(12);
    },
  });
  const cut = new AbortController();
  const leaver = new Connection(bridge.address, { signal: cut.signal });
  const left = codeOf(leaver.unaryBytes(FIND, NOTHING, ALICE));
  await eventually(() => server.of("Capabilities/GetCapabilities").length === 1, "it asks");
  const waiting = codeOf(client.unaryBytes(FIND, NOTHING, ALICE));
  await eventually(async () => (await bridge.metrics()).client.streams === 2, "the other waits");
  cut.abort();
  leaver.close();
  assert.equal(await left, Status.CANCELLED);
  assert.equal(await waiting, 0);
  assert.equal(server.of("Capabilities/GetCapabilities").length, 2, "and finds out itself");
  held.resolve();
});
