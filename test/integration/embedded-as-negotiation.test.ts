/** What embedded servers that play known ones announce, and how they answer telling questions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { Status } from "../../src/wire/status.ts";
import { playing } from "../support/played-server.ts";
import { CallFailed, type ReapiClient, sha256, type V2Message } from "../support/reapi-client.ts";

type Capabilities = V2Message<"ServerCapabilities">;

const capabilities = (client: ReapiClient) => client.unary<Capabilities>("Capabilities/GetCapabilities", {});

function versions({ deprecatedApiVersion, lowApiVersion, highApiVersion }: Capabilities): string[] {
  return [deprecatedApiVersion, lowApiVersion, highApiVersion].map((version) =>
    version === null ? "-" : `${version.major}.${version.minor}`,
  );
}

/** Deprecated, low and high version, as the servers themselves announce them (D02). */
const WINDOWS: Readonly<Record<string, readonly string[]>> = {
  "buildbarn@2026-03-26": ["2.2", "2.3", "2.12"],
  "buildbarn@2019-12": ["-", "2.0", "2.0"],
  "buildfarm@1.17": ["-", "2.0", "2.0"],
  "buildfarm@2.15": ["-", "2.0", "2.0"],
  "buildfarm@2.16": ["2.0", "2.3", "2.11"],
  "bazel-remote@2.5": ["-", "2.0", "2.3"],
  "nativelink@1.6": ["-", "2.0", "2.3"],
  "buildbuddy@2022": ["-", "2.0", "99.9"],
  "buildgrid@2019-01": ["-", "-", "-"],
  "buildgrid@2019-12": ["-", "2.0", "2.0"],
};

for (const [name, window] of Object.entries(WINDOWS)) {
  test(`${name} announces its window`, async (t) => {
    const { client } = await playing(t, name);
    assert.deepEqual(versions(await capabilities(client)), window);
  });
}

test("servers without Capabilities end the call with UNIMPLEMENTED", async (t) => {
  for (const name of ["scoot@2022", "buildgrid@2018-10"]) {
    const { client } = await playing(t, name);
    await assert.rejects(capabilities(client), { code: Status.UNIMPLEMENTED }, name);
  }
});

test("Buildfarm 2.15 announces IDENTITY before ZSTD, its batch limit, and no absolute links", async (t) => {
  const { client } = await playing(t, "buildfarm@2.15");
  const { cacheCapabilities, executionCapabilities } = await capabilities(client);
  assert.deepEqual([...cacheCapabilities!.supportedCompressors], [0, 1]);
  assert.deepEqual([...cacheCapabilities!.supportedBatchUpdateCompressors], []);
  assert.equal(cacheCapabilities!.maxBatchTotalSizeBytes, 4_194_304n);
  assert.equal(cacheCapabilities!.symlinkAbsolutePathStrategy, 1);
  assert.equal(cacheCapabilities!.actionCacheUpdateCapabilities!.updateEnabled, true);
  assert.equal(executionCapabilities!.execEnabled, true);
  const [priorities] = executionCapabilities!.executionPriorityCapabilities!.priorities;
  assert.deepEqual([priorities?.minPriority, priorities?.maxPriority], [-(2 ** 31), 2 ** 31 - 1]);
});

test("bazel-remote 2.6 executes nothing and has SpliceBlob without SplitBlob, unannounced", async (t) => {
  const { client } = await playing(t, "bazel-remote@2.6");
  const { cacheCapabilities, executionCapabilities } = await capabilities(client);
  assert.equal(executionCapabilities?.execEnabled ?? false, false);
  assert.equal(cacheCapabilities!.maxBatchTotalSizeBytes, 0n);
  assert.deepEqual(
    [cacheCapabilities!.splitBlobSupport, cacheCapabilities!.spliceBlobSupport],
    [false, false],
  );
  const [blob] = await client.store("one two");
  const chunkDigests = await client.store("one ", "two");
  const storage = "ContentAddressableStorage";
  await client.unary(`${storage}/SpliceBlob`, { blobDigest: blob, chunkDigests });
  const missing = { code: Status.UNIMPLEMENTED };
  await assert.rejects(client.unary(`${storage}/SplitBlob`, { blobDigest: blob }), missing);
  await assert.rejects(client.all("Execution/Execute", { actionDigest: blob }), missing);
});

test("who may write results: everybody, nobody by error, nobody without a word", async (t) => {
  const update = async (client: ReapiClient) => {
    const commandDigest = await client.storeMessage("build.bazel.remote.execution.v2.Command", {
      arguments: ["x"],
    });
    const actionDigest = await client.storeMessage("build.bazel.remote.execution.v2.Action", {
      commandDigest,
    });
    await client.unary("ActionCache/UpdateActionResult", { actionDigest, actionResult: { exitCode: 3 } });
    return client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", { actionDigest });
  };
  const open = await playing(t, "buildfarm@1.17");
  assert.equal((await update(open.client)).exitCode, 3);
  const closed = await playing(t, "buildbarn@2026-03-26");
  await assert.rejects(update(closed.client), { code: Status.PERMISSION_DENIED });
  const { cacheCapabilities } = await capabilities(closed.client);
  assert.equal(cacheCapabilities!.actionCacheUpdateCapabilities!.updateEnabled, false);
  const allowed = await playing(t, "buildbarn@2026-03-26", { optional: true });
  assert.equal((await update(allowed.client)).exitCode, 3);
});

test("Kajiya refuses a second RequestMetadata header; others read it", async (t) => {
  const headers = { "build.bazel.remote.execution.v2.requestmetadata-bin": [Buffer.of(0), Buffer.of(0)] };
  const find = (client: ReapiClient) =>
    client.unary("ContentAddressableStorage/FindMissingBlobs", {}, headers);
  await assert.rejects(find((await playing(t, "kajiya")).client), {
    code: Status.INVALID_ARGUMENT,
    message: /requestmetadata-bin is there twice/,
  });
  await find((await playing(t, "buildfarm@2.15")).client);
});

const EMPTY = sha256("");

/** What is asked to tell servers apart. */
const ASKS: Readonly<Record<string, (client: ReapiClient) => Promise<unknown>>> = {
  "empty-tree": (client) => client.all("ContentAddressableStorage/GetTree", { rootDigest: EMPTY }),
  "unknown-instance": (client) =>
    client.unary("ContentAddressableStorage/FindMissingBlobs", { instanceName: "no-such-instance" }),
  "unreadable-resource-name": (client) => client.read("nonsense"),
  "empty-batch-read": (client) => client.unary("ContentAddressableStorage/BatchReadBlobs", {}),
  "empty-batch-update": (client) => client.unary("ContentAddressableStorage/BatchUpdateBlobs", {}),
  "fetch-without-uris": (client) => client.unary("/build.bazel.remote.asset.v1.Fetch/FetchBlob", {}),
  health: (client) => client.unaryBytes("/grpc.health.v1.Health/Check", Buffer.alloc(0)),
};

const CATALOGUE = shippedProfiles();
const SERVERS = [...new Set(CATALOGUE.names("server").flatMap((name) => CATALOGUE.ranges("server", name)))];

const NEWEST = new Set(SERVERS.map(({ peer }) => CATALOGUE.resolve("server", peer)));

for (const { name, facts } of NEWEST) {
  test(`${name} can be played with all that is optional`, async (t) => {
    const { client } = await playing(t, name, { optional: true, instances: ["main", ""] });
    const answer = await capabilities(client).catch((error: unknown) => error);
    const lacks = facts.missingMethods?.are.some((method) => method.startsWith("Capabilities/")) ?? false;
    if (lacks) assert.equal((answer as CallFailed).code, Status.UNIMPLEMENTED);
    else if (facts.instanceNames?.pattern === undefined) assert.ok(!(answer instanceof Error));
    else assert.equal((answer as CallFailed).code, Status.INVALID_ARGUMENT);
  });
}

const SIGNED = SERVERS.filter(({ facts }) => facts.recognition !== undefined).map(({ name, facts }) => ({
  name,
  signs: facts.recognition!.signs,
}));

for (const { name, signs } of SIGNED) {
  test(`${name} gives the answers by which it is recognised`, async (t) => {
    const { client } = await playing(t, name);
    for (const { ask, status, text } of signs) {
      const error: unknown = await ASKS[ask]!(client).then(
        () => null,
        (caught: unknown) => caught,
      );
      if (status === "OK") assert.equal(error, null, ask);
      else {
        assert.ok(error instanceof CallFailed, ask);
        assert.equal(error.code, Status[status], ask);
        if (text !== undefined) assert.match(error.message, new RegExp(text), ask);
      }
    }
  });
}

test("the answers of Buildbarn, Scoot, BuildGrid, NativeLink and bazel-remote are their own", async (t) => {
  for (const [name, ask, code, message] of [
    [
      "buildbarn@2026-03-26",
      "empty-tree",
      Status.UNIMPLEMENTED,
      /does not support downloading directory trees/,
    ],
    ["scoot@2022", "empty-tree", Status.UNIMPLEMENTED, /Unsupported in Scoot/],
    ["buildgrid@2019", "unknown-instance", Status.INVALID_ARGUMENT, /Invalid instance name/],
    ["nativelink@1.6", "unknown-instance", Status.INTERNAL, /'instance_name' not configured for/],
    [
      "bazel-remote@2.6",
      "unreadable-resource-name",
      Status.INVALID_ARGUMENT,
      /Unable to parse resource name/,
    ],
    ["bb-remote-asset", "fetch-without-uris", Status.INVALID_ARGUMENT, /./],
  ] as const) {
    const { client } = await playing(t, name);
    await assert.rejects(ASKS[ask]!(client), { code, message }, name);
  }
});
