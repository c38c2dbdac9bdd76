import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ResolvedServer } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { BAZELS, type BazelVersion, isFull } from "./support/bazel.ts";
import { BridgeProcess } from "./support/bridge.ts";
import { differingServers } from "./support/differing-servers.ts";
import { startPlayedServer } from "./support/embedded.ts";
import { scratch } from "./support/folder.ts";
import { comparable, fromServer, localBuilds, TARGETS } from "./support/local-builds.ts";
import { type Prediction, predict } from "./support/prediction.ts";

/** Whether the bridge is started with an address only, or is told who both peers are. */
type Told = "nothing" | "both";

type Cell = readonly [version: BazelVersion, server: string, told: Told];

/** The core of this test. */
const CORE: readonly Cell[] = [
  ["0.17.2", "buildfarm@1.17", "nothing"],
  ["0.17.2", "buildgrid@2019-12", "nothing"],
  ["0.17.2", "scoot@2022", "both"],
  ["0.17.2", "buildbarn@2026-03-26", "nothing"],
  ["0.17.2", "bazel-remote@2.6", "nothing"],
  ["4.2.3", "buildfarm@2.15", "nothing"],
  ["4.2.3", "buildbarn@2023-06", "both"],
  ["4.2.3", "buildbarn@2026-03-26", "nothing"],
  // Batches of 64 KiB.
  ["2.1.0", "nativelink@1.6", "nothing"],
  ["4.2.3", "nativelink@1.6", "nothing"],
  ["4.2.3", "bazel-remote@2.6", "nothing"],
  ["4.2.3", "buildgrid@2018-08", "nothing"],
];

/** What `E2E=full` has besides, with every Bazel at every server with which something else happens. */
const MORE: readonly Cell[] = [
  ["4.2.3", "buildbarn@2025-09", "nothing"],
  ["4.2.3", "buildbarn@2026-03-26", "both"],
  ["4.2.3", "buildbuddy@2022", "nothing"],
];

/** Bazel's own words where the versions do not meet. */
const VERSIONS_UNSUPPORTED = /API version/;

/** Of a server that wants names of one form (Google RBE). */
const INSTANCE = "projects/test/instances/main";

/** A server of a profile that nobody but the test has. */
const SILENT = "silent";

const local = localBuilds();
const folder = scratch();

for (const [version, server, told] of isFull ? [...CORE, ...MORE] : CORE) {
  test(`Bazel ${version} at ${server}, of whom the bridge is told ${told}: as explain says`, (t) =>
    checkBuild(t, version, server, told));
}
if (isFull) {
  for (const version of BAZELS) {
    for (const server of differingServers(`bazel@${version}`)) {
      test(`Bazel ${version} at ${server}: as explain says`, (t) => checkBuild(t, version, server, "both"));
    }
  }
}

test("Bazel 4.2.3 at a server without GetCapabilities that nobody knows is told to name it", async (t) => {
  const file = join(folder, "silent.json");
  const recognition = { signs: [], evidence: "it does not answer so" };
  writeFileSync(
    file,
    JSON.stringify({
      role: "server",
      peer: SILENT,
      title: "Silent",
      extends: "scoot@2022",
      ranges: [{ facts: { recognition } }],
    }),
  );
  await checkBuild(t, "4.2.3", SILENT, "nothing", ["--profile", file]);
});

async function checkBuild(
  t: TestContext,
  version: BazelVersion,
  server: string,
  told: Told,
  setup: readonly string[] = [],
): Promise<void> {
  const { instanceNames } = serverFacts(server);
  const instance = instanceNames?.pattern === undefined ? "" : INSTANCE;
  assert.match(instance, new RegExp(instanceNames?.pattern ?? ""));
  const { service, address } = await startPlayedServer(
    server,
    ...(instance === "" ? [] : ["--instance", instance]),
    ...setup,
  );
  t.after(() => service.end("SIGTERM"));
  const prediction = await predict(`bazel@${version}`, address, instance, told === "both" ? server : null);
  // With all that is known every one of these Bazels builds: a refusal is not right just because it is foretold.
  if (server !== SILENT) assert.equal(prediction.kind, "builds", prediction.drift.join());
  const names = ["--upstream-profile", server, "--client-profile", `bazel@${version}`];
  const bridge = await BridgeProcess.start("--upstream", address, ...(told === "both" ? names : []));
  t.after(() => bridge.stop());

  const { bazel, outputs } = await local(version, folder);
  const remote = prediction.executes ? bazel.remote(bridge.address) : bazel.local(bridge.address);
  const named = `--remote_instance_name=${instance}`;
  const flags = [...remote, named, ...bazel.platform("OSFamily", "linux"), "--verbose_failures"];
  await bazel.clean();
  const first = await bazel.build(...flags, ...TARGETS);
  // Debian's Bazel does not tell its version, and so is taken for any: the bridge tells it versions for all of them.
  const knowsVersion = told === "both" || version !== "4.2.3";
  checkEnd(first.output, first.code, prediction, knowsVersion);
  if (prediction.kind !== "builds") return;

  const ran = first.actions.get(prediction.executes ? "remote" : "local") ?? 0;
  assert.ok(ran >= 15, first.output);
  await bazel.clean();
  const second = await bazel.build(...flags, ...TARGETS);
  assert.equal(second.code, 0, second.output);
  assert.equal(second.actions.get("remote cache hit"), ran, second.output);
  const links = prediction.executes ? serverFacts(server).outputLinks?.are : undefined;
  const expected = fromServer(outputs, version, prediction.executes, links === "followed");
  assert.deepEqual(comparable(bazel.outputs()), expected);

  const failed = await bazel.build(...flags, "//broken");
  assert.equal(failed.code, 1, failed.output);
  assert.match(failed.output, /^this action fails on purpose$/m);
}

/** How a first build has to end. */
function checkEnd(output: string, code: number, { kind, drift }: Prediction, knowsVersion: boolean): void {
  if (kind === "builds") {
    assert.equal(code, 0, output);
  } else {
    assert.notEqual(code, 0, output);
    const refusal = new RegExp(`\\[[a-z-]+, (${drift.join("|")})\\]`);
    assert.match(output, kind === "stops" && knowsVersion ? VERSIONS_UNSUPPORTED : refusal);
  }
}

/** What the profile says; nothing of a server that has none. */
function serverFacts(name: string): Partial<ResolvedServer["facts"]> {
  return name === SILENT ? {} : shippedProfiles().resolve("server", name).facts;
}
