import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Shape } from "../../src/client/samples.ts";
import { DEFAULT_WORKER } from "../../src/embedded/behaviour/vocabulary.ts";
import { loadProfiles } from "../../src/peers/read-profile.ts";
import { explain } from "../../src/plan/explain.ts";
import { type PlayedClient, playClient } from "../peers/client/play-client.ts";
import { ofBuild, text } from "./support/outcome.ts";
import { planner, startRig } from "./support/rig.ts";

// Pairs that do not work by themselves, and why: with a bridge in between they do.

async function pair(t: TestContext, clientName: string, serverName: string, files: readonly string[] = []) {
  const profiles = loadProfiles(files);
  const client = profiles.resolve("client", clientName);
  const server = profiles.resolve("server", serverName);
  const rig = await startRig({ server, clients: [client], profiles: files });
  t.after(() => rig.stop());
  const play = (address: string) => {
    const played = playClient({ address, as: client });
    t.after(() => played.close());
    return played;
  };
  return {
    direct: play(rig.direct),
    bridged: play(rig.bridged(client)),
    predicted: explain([client], rig.dialect, planner),
  };
}

/** What comes of a shape; servers that match platforms exactly get the one that they have. */
async function built(client: PlayedClient, shape: Shape, salt: string) {
  return ofBuild(await client.build(shape, { platform: DEFAULT_WORKER, salt }));
}

interface Row {
  readonly client: string;
  readonly server: string;
  readonly shape?: Shape;
  /** How it ends directly, as `word` and `text` have it. */
  readonly direct: RegExp;
}

const WINDOW_OF_BUILDFARM = /^failed \(.* speaks API 2\.0, and the server supports 2\.3 to 2\.11/;
const PLATFORM = /^failed .*No workers exist for the platform \{\}/;
const NO_OUTPUT = /^lost .*the output out\.txt did not come/;
const NO_DIRECTORY = /^lost .*the output out did not come/;
const NOT_IN_WORK = /^lost .*the output work\/made\.txt did not come/;
const NO_LINK = /^lost .*the output link(\.txt)? did not come/;

const ROWS: readonly Row[] = [
  { client: "please", server: "buildfarm@2.16", direct: WINDOW_OF_BUILDFARM },
  { client: "please", server: "buildfarm@2.17", direct: WINDOW_OF_BUILDFARM },
  { client: "please", server: "buildbarn@2025-11-15", direct: /^failed .* speaks API 2\.0, and the server/ },
  { client: "please", server: "buildbarn@2026-03-26", direct: /^failed .* speaks API 2\.0, and the server/ },
  { client: "bazel@7", server: "buildbarn@2026-03-26", direct: /^failed .*supports 2\.3 to 2\.12/ },
  { client: "bazel@4.0", server: "buildbarn@2026-03-26", direct: /^failed .*supports 2\.3 to 2\.12/ },
  { client: "bazel@6.2", server: "buildbarn@2026-03-26", direct: /^failed .*supports 2\.3 to 2\.12/ },
  { client: "reclient", server: "buildbarn@2023-06-01", shape: "link-to-file", direct: NO_LINK },
  { client: "reclient", server: "buildbarn@2023-06-01", shape: "link-to-directory", direct: NO_LINK },
  { client: "reclient", server: "buildbarn@2026-03-26", shape: "link-to-file", direct: NO_LINK },
  { client: "bazel@6.2", server: "buildgrid@2019-02-18", direct: /^failed .*the server states no version/ },
  {
    client: "bazel@6.2",
    server: "scoot@2022",
    direct: /^failed .*cannot start without an answer to GetCapabilities.*UNIMPLEMENTED/,
  },
  {
    client: "bazel@5.4",
    server: "buildbarn@2023-06-01",
    direct: /^failed .*writes to the action cache, and the server does not let it/,
  },
  { client: "reclient", server: "buildbuddy@2022", direct: /^failed .*NOT_FOUND: blobs\/e3b0c442/ },
  { client: "buck2", server: "buildbarn@2026-03-26", direct: PLATFORM },
  { client: "pants@2.33", server: "buildbarn@2026-03-26", direct: PLATFORM },
  { client: "bazel@6.2", server: "buildbarn@2019-08", shape: "program", direct: NOT_IN_WORK },
  { client: "pants@2.32", server: "buildbarn@2026-03-26", direct: PLATFORM },
  { client: "siso@2025-05", server: "buildbarn@2026-03-26", direct: PLATFORM },
  { client: "siso@2025-05", server: "buildbarn@2026-03-26", shape: "directory", direct: PLATFORM },
  { client: "goma", server: "buildbarn@2026-03-26", direct: PLATFORM },
  { client: "pants@2.33", server: "buildbarn@2020-06-25", direct: NO_OUTPUT },
  { client: "please", server: "buildbarn@2020-06-25", shape: "directory", direct: /^lost / },
  { client: "pants@2.33", server: "buildfarm@2.1", direct: NO_OUTPUT },
  { client: "pants@2.33", server: "buildfarm@2.1", shape: "directory", direct: /^lost / },
  { client: "pants@2.33", server: "buildfarm@2.1", shape: "link-to-file", direct: /^lost / },
  { client: "please", server: "buildfarm@1.17", direct: NO_OUTPUT },
  { client: "please", server: "kajiya", direct: NO_OUTPUT },
  { client: "please", server: "kajiya", shape: "link-to-directory", direct: /^lost / },
  { client: "please", server: "buildgrid@2019-12", shape: "directory", direct: /^failed .*e3b0c442/ },
  { client: "please", server: "buildgrid@2019-12", shape: "among-inputs", direct: NO_OUTPUT },
];

for (const { client, server, shape = "file", direct } of ROWS) {
  test(`${client} before ${server}, ${shape}: works`, async (t) => {
    const played = await pair(t, client, server);
    const alone = await built(played.direct, shape, "direct");
    assert.match(text(alone), direct);
    assert.equal(text(await built(played.bridged, shape, "bridged")), "ok");
    assert.notEqual(played.predicted.outcome.kind, "stops");
  });
}

// BuildStream wants assets that these servers do not have; here only its actions are looked at.
for (const [client, server, shape, direct] of [
  ["buildstream@2.3", "buildfarm@2.1", "directory", NO_DIRECTORY],
  ["buildstream@2.5", "buildfarm@1.17", "directory", NO_DIRECTORY],
  ["buildstream@2.3", "buildgrid@2019-12", "among-inputs", NO_OUTPUT],
  ["buildstream@2.5", "kajiya", "directory", NO_DIRECTORY],
] as const) {
  test(`${client} before ${server}, ${shape}: its actions work`, async (t) => {
    const played = await pair(t, client, server);
    assert.match(text(await built(played.direct, shape, "direct")), direct);
    assert.equal(text(await built(played.bridged, shape, "bridged")), "ok");
  });
}

/** A client of today that says in the Action alone for which platform it is. */
async function actionOnly(t: TestContext): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), "profile-")), "ours.json");
  t.after(() => rm(dirname(file), { recursive: true }));
  const evidence = "our client";
  const range = {
    facts: { level: { is: "2.12", evidence } },
    features: { "action-platform": { writes: ["action"], evidence } },
  };
  await writeFile(file, JSON.stringify({ role: "client", peer: "ours", title: "Ours", ranges: [range] }));
  return file;
}

for (const server of ["buildfarm@1.17", "buildfarm@2.15", "buildbuddy@2023"]) {
  test(`a client that sets the platform in the Action alone before ${server}: the action does not run just anywhere`, async (t) => {
    const { direct, bridged } = await pair(t, "ours", server, [await actionOnly(t)]);
    const alone = await direct.build("other-platform", { salt: "direct" });
    assert.equal(alone.deadly, null);
    assert.equal(text(ofBuild(alone)), "lost (it did not end in FAILED_PRECONDITION)");
    assert.equal(text(await built(bridged, "other-platform", "bridged")), "ok");
    assert.equal(text(await built(bridged, "platform-in-action", "bridged")), "ok");
  });
}

test("a client that sets the platform in the Action alone finds the workers of Buildbarn before 2.2", async (t) => {
  const { direct, bridged } = await pair(t, "ours", "buildbarn@2020-06-25", [await actionOnly(t)]);
  assert.match(text(await built(direct, "file", "direct")), PLATFORM);
  assert.equal(text(await built(bridged, "file", "bridged")), "ok");
});

test("a server from before Capabilities works for Bazel once its profile says that it executes", async (t) => {
  const file = join(await mkdtemp(join(tmpdir(), "profile-")), "ours.json");
  t.after(() => rm(dirname(file), { recursive: true }));
  const execution = { offered: "yes", cacheLookup: true, evidence: "our configuration" };
  const ours = { role: "server", peer: "ours", title: "Ours", extends: "buildgrid@2018-11-26" };
  await writeFile(file, JSON.stringify({ ...ours, ranges: [{ facts: { execution } }] }));
  const { direct, bridged } = await pair(t, "bazel@6.2", "ours", [file]);
  const { verdict, why } = await direct.negotiate();
  assert.equal(verdict, "refuses");
  assert.match(why, /cannot start without an answer to GetCapabilities.*UNIMPLEMENTED/);
  assert.equal(text(await built(bridged, "file", "bridged")), "ok");
});

test("a server that finds workers by exact sets of properties gets the set it has, by the table of its profile", async (t) => {
  const file = join(await mkdtemp(join(tmpdir(), "profile-")), "ours.json");
  t.after(() => rm(dirname(file), { recursive: true }));
  const platformTable = { drop: [{ name: "persistentWorkerProtocol" }], evidence: "our workers" };
  const ours = { role: "server", peer: "ours", title: "Ours", extends: "buildbarn@2026-03-26" };
  await writeFile(file, JSON.stringify({ ...ours, ranges: [{ facts: { platformTable } }] }));
  const { direct, bridged } = await pair(t, "bazel@9.3", "ours", [file]);
  const platform = { ...DEFAULT_WORKER, persistentWorkerProtocol: "json" };
  const build = async (client: PlayedClient, salt: string) =>
    text(ofBuild(await client.build("file", { platform, salt })));
  assert.match(await build(direct, "direct"), /^failed .*No workers exist.*persistentWorkerProtocol/);
  assert.equal(await build(bridged, "bridged"), "ok");
  // The second time it comes from the cache, under the client's own key.
  assert.equal(await build(bridged, "bridged"), "ok");
});

test("versions that do not exist are not passed on: Bazel and the Go SDK would turn everything on", async (t) => {
  for (const client of ["reclient", "bazel@9.3", "siso"]) {
    const { direct, bridged } = await pair(t, client, "buildbuddy@2022");
    assert.deepEqual((await direct.negotiate()).window.high, [99, 9, 0]);
    const { high, low } = (await bridged.negotiate()).window;
    assert.deepEqual([low?.[0], high?.[0]], [2, 2]);
  }
});

test("a client that stops where it may not write results is answered as if they were stored, and finds none of them", async (t) => {
  const { direct, bridged } = await pair(t, "bazel@5.4", "buildbarn@2023-06-01");
  assert.match((await direct.cacheRoundTrip()).deadly ?? "", /the server does not let it$/);
  const { deadly, blob, result } = await bridged.cacheRoundTrip();
  assert.deepEqual({ deadly, blob, result }, { deadly: null, blob: true, result: false });
});
