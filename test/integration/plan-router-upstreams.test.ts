import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Api } from "../../src/client/api.ts";
import { codec } from "../../src/spec/codec.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { type CapabilitiesDraft, capabilities } from "../support/capabilities.ts";
import { freePort } from "../support/free-port.ts";
import { failure, ReapiClient, sha256, V2 } from "../support/reapi-client.ts";
import { type Answer, recordingServer } from "../support/recording-server.ts";
import { routed } from "../support/upstreams.ts";

// A cache and an executor that clients see as one server.

const NOTHING = Buffer.alloc(0);
const EXECUTION = [`${V2}.Execution`, "google.longrunning.Operations"];
const HASH = "a".repeat(64);

interface Parts {
  readonly cache: Answer;
  readonly executor: Answer;
}

async function apart(t: TestContext, { cache, executor }: Parts) {
  const stored = await recordingServer(t, { "Capabilities/GetCapabilities": cache });
  const ran = await recordingServer(t, { "Capabilities/GetCapabilities": executor });
  const { address } = await bridgeTo(
    t,
    stored.address,
    routed({ cache: stored.address, executor: ran.address }, [
      { upstream: "executor", services: EXECUTION },
      { upstream: "cache" },
    ]),
  );
  return { cache: stored, executor: ran, client: new ReapiClient(t, address) };
}

const says = (minor: number, change: CapabilitiesDraft = {}): Answer => {
  const message = capabilities(minor, change);
  return () => message;
};

async function told(client: ReapiClient): Promise<Api<"ServerCapabilities">> {
  return codec().decode(`${V2}.ServerCapabilities`, await client.unaryBytes(GET_CAPABILITIES, NOTHING));
}

test("calls go by their service, and capabilities are those of both", async (t) => {
  const { cache, executor, client } = await apart(t, {
    cache: says(4, {
      cacheCapabilities: {
        digestFunctions: [1, 2],
        maxBatchTotalSizeBytes: 5_000n,
        actionCacheUpdateCapabilities: { updateEnabled: true },
      },
      executionCapabilities: null,
    }),
    executor: says(3, {
      cacheCapabilities: null,
      executionCapabilities: { digestFunction: 1, digestFunctions: [1], execEnabled: true },
      lowApiVersion: { major: 2, minor: 1 },
    }),
  });
  const { cacheCapabilities, executionCapabilities, lowApiVersion, highApiVersion } = await told(client);
  assert.deepEqual(cacheCapabilities?.digestFunctions, [1], "only what both have");
  assert.equal(cacheCapabilities?.maxBatchTotalSizeBytes, 5_000n);
  assert.equal(cacheCapabilities?.actionCacheUpdateCapabilities?.updateEnabled, true);
  assert.equal(executionCapabilities?.execEnabled, true);
  assert.deepEqual(
    [lowApiVersion?.minor, highApiVersion?.minor],
    [0, 3],
    "what both have, and 2.0 is served",
  );
  await client.unaryBytes(`/${V2}.ContentAddressableStorage/FindMissingBlobs`, Buffer.from([0x0a, 1, 0x61]));
  const { code } = await failure(
    client.all("Execution/Execute", { actionDigest: { hash: HASH, sizeBytes: 1 } }),
  );
  // The action is looked for where blobs are, which this cache does not understand.
  assert.equal(code, Status.INTERNAL);
  const reads = ({ of }: typeof cache) =>
    of("ContentAddressableStorage/BatchReadBlobs").filter(({ request }) => request.includes(HASH)).length;
  assert.deepEqual([reads(cache), reads(executor)], [1, 0]);
  const found = client.unary("/google.longrunning.Operations/GetOperation", { name: "operations/1" });
  assert.equal((await failure(found)).code, Status.UNIMPLEMENTED);
  const finds = ({ of }: typeof cache) =>
    of("ContentAddressableStorage/FindMissingBlobs").filter(({ request }) => request.length === 3).length;
  assert.deepEqual([finds(cache), finds(executor)], [1, 0]);
  assert.equal(cache.of("Execution/Execute").length, 0);
});

test("what the bridge reads for a call to the executor is in the cache, under the name that this one knows", async (t) => {
  const named = (blob: Buffer) => ({ hash: sha256(blob).hash, sizeBytes: BigInt(blob.length) });
  const command = codec().encode(`${V2}.Command`, { arguments: ["/bin/true"], outputPaths: ["../out"] });
  const root = named(NOTHING);
  const action = codec().encode(`${V2}.Action`, { commandDigest: named(command), inputRootDigest: root });
  const blobs = new Map([action, command, NOTHING].map((blob) => [sha256(blob).hash, blob]));
  const seen: string[] = [];
  const cache = await recordingServer(t, {
    "Capabilities/GetCapabilities": says(0),
    "ContentAddressableStorage/BatchReadBlobs": ({ request }) => {
      const { instanceName, digests } = codec().decode(`${V2}.BatchReadBlobsRequest`, request);
      seen.push(instanceName);
      return codec().encode(`${V2}.BatchReadBlobsResponse`, {
        responses: digests.map((digest) => ({ digest, data: blobs.get(digest.hash)! })),
      });
    },
  });
  const executor = await recordingServer(t, { "Capabilities/GetCapabilities": says(0) });
  const bridge = await bridgeTo(
    t,
    cache.address,
    routed(
      { cache: cache.address, executor: executor.address },
      [
        { upstream: "executor", services: EXECUTION, instance: "team", rename: "workers" },
        { upstream: "executor", services: EXECUTION },
        { upstream: "cache", instance: "team", rename: "blobs-of-team" },
        { upstream: "cache" },
      ],
      { cache: "buildfarm@1.17", executor: "buildfarm@1.17" },
    ),
  );
  const client = new ReapiClient(t, bridge.address);
  const request = { instanceName: "team", actionDigest: sha256(action) };
  const { errorInfo } = await failure(client.all("Execution/Execute", request));
  const { feature } = errorInfo!.metadata;
  assert.equal(feature, "output-paths");
  assert.ok(seen.length > 0 && seen.every((name) => name === "blobs-of-team"), seen.join());
  assert.deepEqual(executor.calls, []);
});

test("a call about an operation goes to the one that executes, whatever the other routes are", async (t) => {
  const { cache, executor, client } = await apart(t, { cache: says(12), executor: says(12) });
  await failure(client.all("Execution/WaitExecution", { name: "an operation" }));
  assert.equal(cache.of("Execution/WaitExecution").length, 0);
  assert.equal(executor.of("Execution/WaitExecution").length, 1);
});

test("a version that only one of them has now is told at once", async (t) => {
  let minor = 12;
  const { client } = await apart(t, { cache: says(12), executor: () => capabilities(minor) });
  assert.equal((await told(client)).highApiVersion?.minor, 12);
  minor = 3;
  assert.equal((await told(client)).highApiVersion?.minor, 3);
  minor = 5;
  assert.equal((await told(client)).highApiVersion?.minor, 5);
});

test("with one of them down the answer is UNAVAILABLE with its name, never half an answer", async (t) => {
  const cache = await recordingServer(t, { "Capabilities/GetCapabilities": says(12) });
  const nobody = `127.0.0.1:${await freePort()}`;
  const bridge = await bridgeTo(
    t,
    cache.address,
    routed({ cache: cache.address, executor: nobody }, [
      { upstream: "executor", services: EXECUTION },
      { upstream: "cache" },
    ]),
  );
  const client = new ReapiClient(t, bridge.address);
  const error = await failure(client.unaryBytes(GET_CAPABILITIES, NOTHING));
  assert.equal(error.code, Status.UNAVAILABLE);
  assert.ok(error.message.includes(nobody), error.message);
  await client.unaryBytes(`/${V2}.ContentAddressableStorage/FindMissingBlobs`, NOTHING);
});

test("an error of one of them comes with its name, its status and its own words", async (t) => {
  const { client, executor } = await apart(t, {
    cache: says(12),
    executor: () => {
      throw Object.assign(new Error("not for you"), { code: Status.PERMISSION_DENIED });
    },
  });
  const error = await failure(client.unaryBytes(GET_CAPABILITIES, NOTHING));
  assert.equal(error.code, Status.PERMISSION_DENIED);
  assert.equal(error.message, `the upstream ${executor.address} answered GetCapabilities with: not for you`);
});

const window = (low: number, high: number): CapabilitiesDraft => ({
  lowApiVersion: { major: 2, minor: low },
  highApiVersion: { major: 2, minor: high },
});
const functions = (...digestFunctions: number[]): CapabilitiesDraft => ({
  cacheCapabilities: { digestFunctions },
  executionCapabilities: { digestFunctions, digestFunction: digestFunctions[0]!, execEnabled: true },
});

for (const [what, cache, executor, why] of [
  ["versions", window(0, 2), window(3, 12), /they have no API version in common/],
  ["digest functions", functions(1), functions(9), /they have no digest function in common/],
] as const) {
  test(`upstreams without ${what} in common are not merged, and the error says which and why`, async (t) => {
    const parts = await apart(t, { cache: says(0, cache), executor: says(0, executor) });
    const error = await failure(parts.client.unaryBytes(GET_CAPABILITIES, NOTHING));
    const { code } = error.errorInfo!.metadata;
    assert.equal(code, "upstreams-disagree");
    assert.match(error.message, why);
    for (const { address } of [parts.cache, parts.executor]) assert.ok(error.message.includes(address));
  });
}
