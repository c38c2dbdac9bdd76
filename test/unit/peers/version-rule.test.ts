import assert from "node:assert/strict";
import { test } from "node:test";
import { PROFILE_FEATURES } from "../../../src/peers/profile-features.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { parseVersion } from "../../../src/peers/version-range.ts";
import { type ApiWindow, decide, gatedClaims } from "../../../src/peers/version-rule.ts";

const profiles = shippedProfiles();

/** The versions that a server announces by its profile. */
function windowOf(server: string): ApiWindow {
  const { deprecated, low, high } = profiles.resolve("server", server).facts.window ?? {};
  const version = (text: string | undefined) => (text === undefined ? null : parseVersion(text));
  return { deprecated: version(deprecated), low: version(low), high: version(high) };
}

function verdict(client: string, server: string): string {
  const { verdict: said, negotiated } = decide(profiles.resolve("client", client), windowOf(server));
  return negotiated === null ? said : `${said} with ${negotiated.join(".")}`;
}

/** Pairs without the bridge, from reports and from the rules of the clients. */
const PAIRS = [
  ["bazel@4.2.3", "buildfarm@1.17", "goes-on with 2.0"],
  ["bazel@4.2.3", "bazel-remote@2.6", "goes-on with 2.0"],
  ["bazel@4.2.3", "buildfarm@2.16", "warns"],
  ["bazel@4.2.3", "buildbarn@2026-03-26", "refuses"],
  ["bazel@6.5", "buildbarn@2025-11", "warns"],
  ["bazel@8.0", "bazel-remote@2.6", "goes-on with 2.2"],
  ["bazel@8.0", "buildbarn@2025-11", "warns"],
  ["bazel@8.0", "buildfarm@2.15", "goes-on with 2.0"],
  ["bazel@9", "buildbarn@2026-03-26", "goes-on with 2.11"],
  ["bazel@9", "buildbuddy@2022", "goes-on with 2.11"],
  ["bazel@9", "buildgrid@2018-12", "refuses"],
  ["please", "buildfarm@2.15", "goes-on with 2.0"],
  ["please", "buildfarm@2.16", "refuses"],
  ["please", "buildbarn@2025-11", "refuses"],
  ["buildstream@2.5", "buildbarn@2026-03-26", "goes-on"],
  ["buck2", "scoot@2022", "goes-on"],
] as const;

for (const [client, server, said] of PAIRS) {
  test(`${client} at ${server}: ${said}`, () => assert.equal(verdict(client, server), said));
}

function writes(client: string, server: string, feature: string): readonly string[] | undefined {
  const claims = gatedClaims(profiles.resolve("client", client), windowOf(server));
  return claims.find((claim) => claim.feature === feature)?.writes;
}

test("Bazel chooses its lists by the version it shares, and the new one where it shares none", () => {
  assert.deepEqual(writes("bazel@8", "buildfarm@2.15", "output-paths"), ["lists"]);
  assert.deepEqual(writes("bazel@8", "bazel-remote@2.6", "output-paths"), ["paths"]);
  assert.deepEqual(writes("bazel@8", "buildbarn@2025-11", "output-paths"), ["paths"]);
});

test("reclient and Siso choose by the highest version that is announced", () => {
  assert.deepEqual(writes("reclient", "buildfarm@2.15", "action-platform"), ["command"]);
  assert.deepEqual(writes("reclient", "justbuild", "output-paths"), ["paths"]);
  assert.deepEqual(writes("reclient", "justbuild", "action-platform"), ["command"]);
  assert.deepEqual(writes("reclient", "buildbuddy@2022", "action-platform"), ["action", "command"]);
  assert.deepEqual(writes("siso", "scoot@2022", "output-paths"), ["lists"]);
  const [, , links] = gatedClaims(profiles.resolve("client", "siso"), windowOf("buildbarn"));
  assert.deepEqual(links?.reads, ["unified", "both", "declared"]);
});

test("gates choose between forms that the feature has", () => {
  for (const peer of profiles.names("client")) {
    for (const { facts, name } of profiles.ranges("client", peer)) {
      for (const { feature, newer, older } of facts.versionGates?.gates ?? []) {
        const forms: readonly string[] = PROFILE_FEATURES[feature].forms;
        for (const form of [...newer, ...older])
          assert.ok(forms.includes(form), `${name}: ${feature} ${form}`);
      }
    }
  }
});

test("clients that always write the same have nothing to choose", () => {
  assert.deepEqual(gatedClaims(profiles.resolve("client", "please"), windowOf("buildbarn")), []);
});
