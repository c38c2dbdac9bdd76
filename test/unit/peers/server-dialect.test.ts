import assert from "node:assert/strict";
import { test } from "node:test";
import { type Advertised, readAdvertised } from "../../../src/peers/advertised.ts";
import type { PeerFacts } from "../../../src/peers/dialect.ts";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import {
  levelServer,
  type ServerEvidence,
  serverFacts,
  unknownServer,
} from "../../../src/peers/server-dialect.ts";
import { codec } from "../../../src/spec/codec.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";

const profiles = shippedProfiles();
const GET_TREE = "/build.bazel.remote.execution.v2.ContentAddressableStorage/GetTree";

function announced(capabilities: object): Advertised {
  return readAdvertised(codec().encode("build.bazel.remote.execution.v2.ServerCapabilities", capabilities));
}

function version(major: number, minor: number): object {
  return { major, minor, patch: 0, prerelease: "" };
}

function claimOf({ claims }: PeerFacts, feature: string) {
  return claims.find((claim) => claim.feature === feature);
}

test("of a server that nobody asked nothing is known but what it is called", () => {
  const facts = serverFacts(unknownServer("cache:8980"));
  assert.equal(facts.name, "cache:8980");
  assert.equal(facts.level, null);
  assert.deepEqual([facts.claims, facts.missingMethods, facts.digestFunctions], [[], [], []]);
});

test("a profile that the operator names counts as configured", () => {
  const configured = profiles.resolve("server", "buildbarn@2026-03-26");
  const facts = serverFacts({ ...unknownServer("cache:8980"), configured });
  assert.equal(facts.name, "Buildbarn from 2026-03-26");
  assert.equal(facts.level?.evidence.source, "configured");
  assert.equal(claimOf(facts, "action-platform")?.evidence.source, "configured");
  assert.ok(facts.missingMethods.includes(GET_TREE));
});

test("a profile that was recognised counts as a profile", () => {
  const recognised = peerFacts(profiles.resolve("server", "buildbarn@2026-03-26"));
  const facts = serverFacts({ ...unknownServer("cache:8980"), recognised });
  assert.equal(facts.level?.evidence.source, "profile");
  assert.equal(claimOf(facts, "action-platform")?.evidence.source, "profile");
});

test("the configured profile counts, not the recognised one", () => {
  const configured = profiles.resolve("server", "buildfarm@1.17");
  const recognised = peerFacts(profiles.resolve("server", "buildbarn"));
  assert.equal(serverFacts({ ...unknownServer("it"), configured, recognised }).name, "Buildfarm 1.17");
});

test("what is announced of versions, compressors and functions is so, whatever a profile says", () => {
  const advertised = announced({
    cacheCapabilities: { digestFunctions: [9], supportedCompressors: [1], maxBatchTotalSizeBytes: 1000n },
    lowApiVersion: version(2, 0),
    highApiVersion: version(2, 11),
  });
  const configured = profiles.resolve("server", "buildfarm@2.15");
  const facts = serverFacts({ ...unknownServer("it"), configured, advertised });
  assert.deepEqual(facts.digestFunctions, [9]);
  assert.deepEqual(claimOf(facts, "compressed-blobs")?.evidence, {
    source: "advertised",
    note: "supported_compressors lists 1",
  });
  assert.deepEqual(facts.facts?.window, { low: "2.0", high: "2.11", evidence: "GetCapabilities" });
  assert.equal(facts.facts?.batchLimit?.announced, 1000);
  // The number that is announced is weaker than what is known of its fields (D02).
  assert.equal(facts.level?.value, "2.0");
});

test("a compressor that is announced and not kept to, as a profile says, is none", () => {
  const advertised = announced({ cacheCapabilities: { supportedCompressors: [1, 3] } });
  const { facts, ...profile } = profiles.resolve("server", "bazel-remote@2.6");
  const compressors = { are: ["ZSTD"], unkept: ["ZSTD"], evidence: "the test" } as const;
  const configured = { ...profile, facts: { ...facts, compressors } };
  const reads = (known: Partial<ServerEvidence>) =>
    claimOf(serverFacts({ ...unknownServer("it"), ...known }), "compressed-blobs")?.reads;
  assert.deepEqual(reads({ advertised }), ["plain", "zstd", "brotli"]);
  assert.deepEqual(reads({ advertised, configured }), ["plain", "brotli"]);
  assert.deepEqual(reads({ configured }), ["plain"]);
});

test("an endpoint that does not answer for the store says nothing of its compressors and chunks", () => {
  const advertised = announced({ executionCapabilities: { execEnabled: true } });
  const configured = profiles.resolve("server", "bazel-remote@2.6");
  const facts = serverFacts({ ...unknownServer("it"), configured, advertised });
  assert.deepEqual(claimOf(facts, "compressed-blobs")?.reads, ["plain", "zstd"]);
  assert.deepEqual(claimOf(facts, "chunking")?.reads, ["splices", "whole"]);
});

test("an announced version is a level where nothing else tells", () => {
  const facts = serverFacts({
    ...unknownServer("it"),
    advertised: announced({ highApiVersion: version(2, 3) }),
  });
  assert.deepEqual(facts.level, {
    value: "2.3",
    evidence: { source: "advertised", note: "high_api_version 2.3" },
  });
});

/** Versions that make no sense, the level that follows and the window that is kept as stated. */
const NONSENSE = [
  ["2.99", version(2, 99), "main", "2.99"],
  ["99.9", version(99, 9), null, "99.9"],
  ["a major of 3", version(3, 0), null, "3.0"],
  ["a prerelease", { ...version(2, 4), prerelease: "rc1" }, "2.4", "2.4"],
] as const;

for (const [what, highApiVersion, level, high] of NONSENSE) {
  test(`a server that announces ${what}`, () => {
    const facts = serverFacts({ ...unknownServer("it"), advertised: announced({ highApiVersion }) });
    assert.equal(facts.level?.value ?? null, level);
    assert.equal(facts.facts?.window?.high, high);
    assert.equal(facts.facts?.window?.low, undefined);
  });
}

/** Windows, and what a server that announces them reads of outputs and platforms if nobody knows it. */
const LOWEST = [
  ["2.0 to 2.12", version(2, 0), null, null],
  ["2.1 to 2.12", version(2, 1), ["paths"], null],
  ["2.3 to 2.12", version(2, 3), ["paths"], ["action"]],
] as const;

for (const [what, lowApiVersion, paths, platform] of LOWEST) {
  test(`a server of ${what} that nobody knows`, () => {
    const advertised = announced({ lowApiVersion, highApiVersion: version(2, 12) });
    const facts = serverFacts({ ...unknownServer("it"), advertised });
    assert.deepEqual(claimOf(facts, "output-paths")?.reads ?? null, paths);
    assert.deepEqual(claimOf(facts, "action-platform")?.reads ?? null, platform);
    const configured = profiles.resolve("server", "buildfarm@2.16");
    const known = serverFacts({ ...unknownServer("it"), configured, advertised });
    assert.deepEqual(claimOf(known, "output-paths")?.reads, ["paths", "lists"]);
  });
}

test("methods that were tried in vain are missing, besides those a profile names, each once", () => {
  const configured = profiles.resolve("server", "buildbarn@2026-03-26");
  const waitExecution = "/build.bazel.remote.execution.v2.Execution/WaitExecution";
  const known = {
    ...unknownServer("it"),
    configured,
    probed: { missingMethods: [GET_TREE, waitExecution], claims: [] },
  };
  const { missingMethods } = serverFacts(known);
  assert.ok(missingMethods.includes(waitExecution));
  assert.equal(missingMethods.filter((path) => path === GET_TREE).length, 1);
});

test("a server that is given as a level follows and announces it", () => {
  const { name, version: speaks, facts, features } = resolveDialect(levelServer("2.3"), TRANSLATORS);
  assert.equal(name, "a server of API 2.3");
  assert.equal(speaks, "2.3");
  assert.deepEqual(facts.window, { low: "2.0", high: "2.3", evidence: "level 2.3" });
  assert.equal(features["output-paths"]?.evidence.source, "configured");
  assert.equal(levelServer("2018-11").facts?.window?.high, "2.0");
});

test("limits are those of the profile until a store states its own; what they count stays", () => {
  const configured = profiles.resolve("server", "buildfarm@2.15");
  const limits = (advertised: Advertised) =>
    serverFacts({ ...unknownServer("cache:8980"), configured, advertised }).facts?.batchLimit;
  // Some servers say something else along with an answer that is none.
  assert.equal(limits(announced({}))?.announced, 4 << 20);
  const stated = limits(announced({ cacheCapabilities: { maxBatchTotalSizeBytes: 1000n } }));
  assert.deepEqual(stated, { announced: 1000, counts: "message", evidence: "GetCapabilities" });
});
