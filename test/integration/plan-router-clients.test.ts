import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { codec } from "../../src/spec/codec.ts";
import { bridgeTo, type ConfigParts } from "../support/bridge.ts";
import { capabilities } from "../support/capabilities.ts";
import { ReapiClient, V2, type V2Message } from "../support/reapi-client.ts";
import { type RecordingServer, recordingServer } from "../support/recording-server.ts";

// Which client a call is from, by what it says of itself, however badly it says so. Bazel 8 reads both lists of symlinks: its results pass as
// they are. Clients before 6.3, and those that nobody knows, find them in the list of old as well.

const HEADER = "build.bazel.remote.execution.v2.requestmetadata-bin";

function metadata(toolName: string, toolVersion: string): Buffer {
  return codec().encode(`${V2}.RequestMetadata`, { toolDetails: { toolName, toolVersion }, actionId: "a" });
}

const BAZEL_8 = metadata("bazel", "8.0.0");
const BAZEL_5 = metadata("bazel", "5.4.0");
const NOBODY = metadata("nobody", "1");

type Ask = (value: Buffer | readonly Buffer[], instanceName?: string) => Promise<"as it is" | "mirrored">;

async function asker(
  t: TestContext,
  parts: ConfigParts = {},
): Promise<{ ask: Ask; server: RecordingServer }> {
  const result = codec().encode(`${V2}.ActionResult`, {
    outputSymlinks: [{ path: "link", target: "file" }],
  });
  const server = await recordingServer(t, {
    "Capabilities/GetCapabilities": () => capabilities(12),
    "ActionCache/GetActionResult": () => result,
  });
  const config = { upstream: { profile: "buildbarn@2026-03-26" }, ...parts };
  const client = new ReapiClient(t, (await bridgeTo(t, server.address, config)).address);
  const ask: Ask = async (value, instanceName = "") => {
    const { outputFileSymlinks } = await client.unary<V2Message<"ActionResult">>(
      "ActionCache/GetActionResult",
      { actionDigest: { hash: "a".repeat(64), sizeBytes: 1 }, instanceName },
      { [HEADER]: value },
    );
    return outputFileSymlinks.length === 0 ? "as it is" : "mirrored";
  };
  return { ask, server };
}

test("a client is known by its tool, call by call", async (t) => {
  const { ask } = await asker(t);
  const told = [await ask(BAZEL_8), await ask(BAZEL_5), await ask(NOBODY), await ask(BAZEL_8)];
  assert.deepEqual(told, ["as it is", "mirrored", "mirrored", "as it is"]);
});

test("values that cannot be read make a client of which nothing is known, and speak for no other", async (t) => {
  const { ask } = await asker(t);
  const broken = [
    Buffer.concat([BAZEL_8, Buffer.from([0xff])]),
    BAZEL_8.subarray(0, 5),
    Buffer.from([0x0a, 0x7f, 0x0a]),
    Buffer.alloc(20_000, "x"),
    Buffer.alloc(0),
  ];
  for (const value of broken) {
    assert.equal(await ask(value), "mirrored", value.subarray(0, 40).toString("hex"));
    assert.equal(await ask(BAZEL_8), "as it is");
  }
});

test("the first of several headers counts", async (t) => {
  const { ask } = await asker(t);
  assert.equal(await ask([BAZEL_8, BAZEL_5]), "as it is");
  assert.equal(await ask([BAZEL_5, BAZEL_8]), "mirrored");
});

test("what the operator says of an instance counts more than what calls say", async (t) => {
  const clients = [{ listen: null, instance: "old/team", profile: "bazel@5.4" }];
  const { ask } = await asker(t, { clients, clientProfile: null });
  assert.equal(await ask(BAZEL_8, "old/team"), "mirrored");
  assert.equal(await ask(BAZEL_8, "old/team/sub"), "mirrored");
  assert.equal(await ask(BAZEL_8, "old/teams"), "as it is");
  assert.equal(await ask(BAZEL_8), "as it is");
});

test("what the operator says of all clients counts where no rule does", async (t) => {
  const clients = [{ listen: null, instance: "old", profile: "bazel@5.4" }];
  const { ask } = await asker(t, { clients, clientProfile: "bazel@8.0" });
  assert.deepEqual(
    [await ask(NOBODY, "old"), await ask(NOBODY, "new"), await ask(BAZEL_5)],
    ["mirrored", "as it is", "as it is"],
  );
});
