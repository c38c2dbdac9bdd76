import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { codec } from "../../src/spec/codec.ts";
import { failure, ReapiClient, sha256, V2 } from "../support/reapi-client.ts";
import { startRig } from "./support/rig.ts";

// Pairs that do not work by themselves for the names in their calls, and work through the bridge.

const profiles = shippedProfiles();
const HEADER = "build.bazel.remote.execution.v2.requestmetadata-bin";

async function rig(t: TestContext, serverName: string, clientName = "nativelink") {
  const client = profiles.resolve("client", clientName);
  const running = await startRig({ server: profiles.resolve("server", serverName), clients: [client] });
  t.after(() => running.stop());
  return {
    direct: new ReapiClient(t, running.direct),
    bridged: new ReapiClient(t, running.bridged(client)),
  };
}

for (const server of [
  "bazel-remote@2.6",
  "buildbarn@2022-06-01",
  "buildbarn@2020-06-01",
  "buildgrid@2019-12",
]) {
  test(`names with a segment for the digest function, as NativeLink writes them, before ${server}`, async (t) => {
    const { direct, bridged } = await rig(t, server);
    const blob = Buffer.from("of which the name is long");
    const { hash, sizeBytes } = sha256(blob);
    const upload = `uploads/00000000-0000-4000-8000-000000000001/blobs/sha256/${hash}/${sizeBytes}`;
    const name = `blobs/sha256/${hash}/${sizeBytes}`;
    const refused = await failure(direct.write(upload, [blob]));
    assert.equal(refused.errorInfo, null);
    await failure(direct.read(name));
    assert.equal(await bridged.write(upload, [blob]), blob.length);
    assert.deepEqual(await bridged.read(name), blob);
  });

  test(`names of BLAKE3 are refused by name before ${server}`, async (t) => {
    const { direct, bridged } = await rig(t, server);
    const name = `blobs/blake3/${"a".repeat(64)}/5`;
    assert.equal((await failure(direct.read(name))).errorInfo, null);
    const { feature } = (await failure(bridged.read(name))).errorInfo!.metadata;
    assert.equal(feature, "digest-functions");
  });
}

test("a server that knows some functions by their names refuses others itself, and its words pass", async (t) => {
  const { direct, bridged } = await rig(t, "buildbarn@2023-06-01");
  const name = `blobs/blake3/${"a".repeat(64)}/5`;
  const [alone, through] = [await failure(direct.read(name)), await failure(bridged.read(name))];
  assert.match(alone.message, /does not offer BLAKE3/);
  assert.deepEqual([through.code, through.message], [alone.code, alone.message]);
});

test("RequestMetadata twice, as from behind a proxy, before Kajiya: equal ones are one, others are refused by name", async (t) => {
  const { direct, bridged } = await rig(t, "kajiya", "siso");
  const metadata = (toolName: string) =>
    codec().encode(`${V2}.RequestMetadata`, { toolDetails: { toolName, toolVersion: "1" } });
  const path = "ContentAddressableStorage/FindMissingBlobs";
  const request = { blobDigests: [sha256("a")] };
  const equal = { [HEADER]: [metadata("siso"), metadata("siso")] };
  const different = { [HEADER]: [metadata("siso"), metadata("proxy")] };
  for (const headers of [equal, different]) {
    assert.equal((await failure(direct.unary(path, request, headers))).errorInfo, null);
  }
  const { missingBlobDigests } = await bridged.unary<{ missingBlobDigests: unknown[] }>(path, request, equal);
  assert.equal(missingBlobDigests.length, 1);
  const { feature } = (await failure(bridged.unary(path, request, different))).errorInfo!.metadata;
  assert.equal(feature, "request-metadata");
});
