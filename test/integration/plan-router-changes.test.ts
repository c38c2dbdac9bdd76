import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { bridgeTo } from "../support/bridge.ts";
import { capabilities, highest } from "../support/capabilities.ts";
import { eventually } from "../support/eventually.ts";
import { CallFailed, ReapiClient } from "../support/reapi-client.ts";
import { type Answers, recordingServer } from "../support/recording-server.ts";

// A server that is not what it was: what is known follows it, and calls under way keep what they began with.

const FIND = "ContentAddressableStorage/FindMissingBlobs";
const BLAKE3 = 9;
const functions = (...digestFunctions: number[]) => ({
  cacheCapabilities: { digestFunctions, maxBatchTotalSizeBytes: 1_000_000n },
  executionCapabilities: { digestFunction: 1, digestFunctions, execEnabled: true },
});

/** A call that only a server of BLAKE3 understands: the feature it is refused for, or null. */
async function refusal(client: ReapiClient): Promise<string | null> {
  const blobDigests = [{ hash: "a".repeat(64), sizeBytes: 1 }];
  try {
    await client.unary(FIND, { blobDigests, digestFunction: BLAKE3 });
    return null;
  } catch (error) {
    assert.ok(error instanceof CallFailed, String(error));
    const { feature = error.message } = error.errorInfo?.metadata ?? {};
    return feature;
  }
}

const window = async (client: ReapiClient) =>
  highest(await client.unaryBytes(GET_CAPABILITIES, Buffer.alloc(0)));

async function before(t: TestContext, answers: Answers) {
  const server = await recordingServer(t, answers);
  const bridge = await bridgeTo(t, server.address);
  return { server, bridge, client: new ReapiClient(t, bridge.address) };
}

test("what GetCapabilities says now counts at once, for its answer and for the calls after it", async (t) => {
  const answers = { "Capabilities/GetCapabilities": () => capabilities(3, functions(1)) };
  const { client } = await before(t, answers);
  assert.deepEqual([await window(client), await refusal(client)], ["2.3", "digest-functions"]);
  answers["Capabilities/GetCapabilities"] = () => capabilities(12, functions(1, BLAKE3));
  assert.equal(await refusal(client), "digest-functions", "nobody has asked yet");
  assert.deepEqual([await window(client), await refusal(client)], ["2.12", null]);
  answers["Capabilities/GetCapabilities"] = () => capabilities(3, functions(1));
  assert.deepEqual([await window(client), await refusal(client)], ["2.3", "digest-functions"]);
});

test("a call under way keeps what was known when it began", async (t) => {
  // Questions of the bridge's own name no blobs.
  const isLong = (request: Buffer) => request.length > 60;
  const held = Promise.withResolvers<void>();
  const answers: Answers = {
    "Capabilities/GetCapabilities": () => capabilities(12, functions(1, BLAKE3)),
    [FIND]: async ({ request }) => {
      if (isLong(request)) await held.promise;
      return Buffer.alloc(0);
    },
  };
  const { client, server } = await before(t, answers);
  await window(client);
  const underWay = refusal(client);
  const asked = () => server.of(FIND).filter(({ request }) => isLong(request)).length;
  await eventually(() => asked() === 1, "the call reaches the server");
  answers["Capabilities/GetCapabilities"] = () => capabilities(3, functions(1));
  await window(client);
  assert.equal(await refusal(client), "digest-functions");
  held.resolve();
  assert.equal(await underWay, null);
  assert.equal(asked(), 1);
});

test("after its connection was lost the server is looked at before the next call, whatever that is", async (t) => {
  const { client, server } = await before(t, {
    "Capabilities/GetCapabilities": () => capabilities(12, functions(1, BLAKE3)),
  });
  assert.equal(await refusal(client), null);
  server.stop();
  const { address } = server;
  const other = await recordingServer(
    t,
    { "Capabilities/GetCapabilities": () => capabilities(3, functions(1)) },
    { address },
  );
  await eventually(async () => (await refusal(client)) === "digest-functions", "the other server is known");
  assert.ok(other.of("Capabilities/GetCapabilities").length >= 1);
  assert.equal(await window(client), "2.3");
});
