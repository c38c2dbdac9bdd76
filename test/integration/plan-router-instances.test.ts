import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { codec } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { Walker } from "../../src/wire/walker.ts";
import { bridgeTo } from "../support/bridge.ts";
import { capabilities, highest } from "../support/capabilities.ts";
import { CallFailed, ReapiClient, V2 } from "../support/reapi-client.ts";
import { type Recorded, recordingServer } from "../support/recording-server.ts";

// Several instances of one upstream, and names that are not easy to tell from the rest of a resource name.

const FIND = `/${V2}.ContentAddressableStorage/FindMissingBlobs`;
const HASH = "a".repeat(64);

function instanceIn({ request }: Recorded): string {
  const field = new Walker(request);
  while (field.next()) if (field.number === 1) return field.text();
  return "";
}

function named(instance: string): Buffer {
  const out = new FieldWriter();
  if (instance !== "") out.text(1, instance);
  return out.toBuffer();
}

/** FindMissingBlobs of a function that only some instances have. */
function find(instance: string): Buffer {
  return codec().encode(`${V2}.FindMissingBlobsRequest`, {
    instanceName: instance,
    blobDigests: [{ hash: HASH, sizeBytes: 1n }],
    digestFunction: 9,
  });
}

async function between(t: TestContext, functions: Readonly<Record<string, number[]>>) {
  const server = await recordingServer(t, {
    "Capabilities/GetCapabilities": (call) => {
      const digestFunctions = functions[instanceIn(call)] ?? [1];
      const cacheCapabilities = { digestFunctions, maxBatchTotalSizeBytes: 1_000_000n };
      return capabilities(digestFunctions.length === 1 ? 3 : 12, { cacheCapabilities });
    },
  });
  const bridge = await bridgeTo(t, server.address);
  return { server, client: new ReapiClient(t, bridge.address) };
}

async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "passed";
  } catch (error) {
    assert.ok(error instanceof CallFailed, String(error));
    const { feature = `${error.code}` } = error.errorInfo?.metadata ?? {};
    return feature;
  }
}

test("each instance of an upstream is known by what it announces itself", async (t) => {
  const { client } = await between(t, { old: [1], "new": [1, 9] });
  const window = async (instance: string) =>
    highest(await client.unaryBytes(GET_CAPABILITIES, named(instance)));
  assert.deepEqual([await window("old"), await window("new")], ["2.3", "2.12"]);
  for (let round = 0; round < 2; round++) {
    assert.equal(await outcome(client.unaryBytes(FIND, find("old"))), "digest-functions");
    assert.equal(await outcome(client.unaryBytes(FIND, find("new"))), "passed");
  }
});

test("calls of instances that differ do not get in each other's way, also in ByteStream", async (t) => {
  const { client, server } = await between(t, { "team/new": [1, 9] });
  for (const instance of ["", "team/new"]) await client.unaryBytes(GET_CAPABILITIES, named(instance));
  const read = (instance: string) => outcome(client.read(`${instance}blobs/blake3/${HASH}/1`));
  assert.deepEqual(
    await Promise.all([read(""), read("team/new/")]),
    ["digest-functions", "3"],
    "the second one is the server's own answer",
  );
  const names = server.of("ByteStream/Read").map(instanceIn);
  assert.ok(names.includes(`team/new/blobs/blake3/${HASH}/1`));
});

test("names of any form are the upstream's business in fields of their own; in names of blobs, words that it reserves are refused", async (t) => {
  const { client, server } = await between(t, {});
  const names = ["a/b/c", "blobsx", "projects/p/instances/i", "a//b", "/"];
  for (const name of names) assert.equal(await outcome(client.unaryBytes(FIND, named(name))), "passed");
  for (const word of ["actions", "a/blobs", "actionResults/x"]) {
    const read = client.all("/google.bytestream.ByteStream/Read", {
      resourceName: `${word}/blobs/${HASH}/1`,
    });
    assert.equal(await outcome(read), "instance-names");
  }
  const seen = server.of("ContentAddressableStorage/FindMissingBlobs").map(instanceIn);
  assert.deepEqual(
    seen.filter((name) => !name.startsWith("no-such")),
    names,
  );
});

test("more instances than are told apart are served all the same", async (t) => {
  const { client } = await between(t, { last: [1, 9] });
  const names = Array.from({ length: 300 }, (_, i) => `instance-${i}`);
  for (const name of names) await client.unaryBytes(GET_CAPABILITIES, named(name));
  const answer = await client.unaryBytes(GET_CAPABILITIES, named("last"));
  const { cacheCapabilities } = codec().decode(
    `${V2}.ServerCapabilities`,
    answer,
  ) as Messages["build.bazel.remote.execution.v2.ServerCapabilities"];
  assert.deepEqual(cacheCapabilities!.digestFunctions, [1, 9], "the answer is its own");
  assert.equal(await outcome(client.unaryBytes(FIND, find("instance-7"))), "digest-functions");
});
