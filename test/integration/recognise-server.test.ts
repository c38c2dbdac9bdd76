import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startEmbedded } from "../../src/embedded/server.ts";
import { readAdvertised } from "../../src/peers/advertised.ts";
import { probedFacts } from "../../src/peers/probed-facts.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { recogniseServer, tellingAsks } from "../../src/peers/recognise-server.ts";
import { LEVELS, type Level } from "../../src/spec/versions.ts";
import { type Observations, probe } from "../../src/upstream/probe.ts";
import { Status } from "../../src/wire/status.ts";
import { GrpcCaller } from "../support/grpc-caller.ts";

const profiles = shippedProfiles();
const V2 = "build.bazel.remote.execution.v2";

/** What a server of the level answers to every question that the catalogue has. */
async function look(t: TestContext, level: Level): Promise<Observations> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startEmbedded({ level, listen, dir: null });
  t.after(() => server.stop());
  const caller = new GrpcCaller(t, server.address);
  return probe({ caller, instance: "", asks: tellingAsks(profiles), deadlineMs: 20_000 });
}

for (const level of LEVELS) {
  test(`a server that is as the API has it at ${level} is nobody's`, async (t) => {
    const seen = await look(t, level);
    const answered = seen.signs.map(({ ask }) => ask);
    assert.deepEqual(answered, tellingAsks(profiles), "every question has an answer");
    assert.equal(seen.capabilitiesStatus, Status.OK);
    const { candidates } = recogniseServer(profiles, seen, readAdvertised(seen.capabilities!));
    assert.deepEqual(candidates, []);
  });
}

test("what was seen tells services and methods", async (t) => {
  const seen = await look(t, "2.0");
  const listed = seen.signs.find(({ ask }) => ask === "reflection")?.services ?? [];
  for (const name of [`${V2}.Execution`, `${V2}.ContentAddressableStorage`, "google.bytestream.ByteStream"]) {
    assert.ok(listed.includes(name), name);
  }
  const { missingMethods, claims } = probedFacts(seen);
  assert.deepEqual(missingMethods, ["/build.bazel.remote.asset.v1.Fetch/FetchBlob"]);
  assert.deepEqual(Object.fromEntries(claims.map(({ feature, reads }) => [feature, reads?.[0]])), {
    "batch-methods": "streams",
    "get-tree": "offered",
  });
});
