import assert from "node:assert/strict";
import { test } from "node:test";
import { probedFacts } from "../../../src/peers/probed-facts.ts";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { commonPart, recognisedFacts } from "../../../src/peers/recognised-facts.ts";
import { Status } from "../../../src/wire/status.ts";
import { sign } from "./known-server.ts";

const profiles = shippedProfiles();
const V2 = "/build.bazel.remote.execution.v2";

const servers = (...names: string[]) => names.map((name) => profiles.resolve("server", name));

test("one range is as its profile says", () => {
  const [barn] = servers("buildbarn@2024");
  assert.deepEqual(recognisedFacts([barn!]), peerFacts(barn!));
  const { facts, features, undecided, peers } = commonPart([barn!]);
  assert.deepEqual([facts, features, undecided, peers], [barn!.facts, barn!.features, [], ["buildbarn"]]);
});

test("of ranges of one peer, what they share is certain, and the rest has a name", () => {
  const ranges = servers("buildfarm@2.1", "buildfarm@2.9", "buildfarm@2.11");
  const { facts, features, undecided, peers } = commonPart(ranges);
  assert.deepEqual(undecided, ["absoluteSymlinks", "digestFunctions", "output-paths", "outputTypes"]);
  assert.deepEqual(peers, ["buildfarm"]);
  assert.equal(facts.window?.high, "2.0");
  assert.equal(facts.digestFunctions, undefined);
  assert.deepEqual(features["action-platform"]?.reads, ["command"]);
  assert.equal(features["output-paths"], undefined);

  const peer = recognisedFacts(ranges)!;
  assert.equal(peer.name, "Buildfarm");
  assert.equal(peer.level?.value, "2.0");
  assert.deepEqual(peer.digestFunctions, []);
  assert.ok(peer.missingMethods.includes(`${V2}.ContentAddressableStorage/SplitBlob`));
  const platform = peer.claims.filter(({ feature }) => feature === "action-platform");
  const note = "recognised as buildfarm@2.1, buildfarm@2.9 or buildfarm@2.11";
  assert.deepEqual(platform, [
    { feature: "action-platform", reads: ["command"], evidence: { source: "profile", note } },
  ]);
  const paths = peer.claims.filter(({ feature }) => feature === "output-paths");
  assert.deepEqual(
    paths.map(({ reads, writes }) => [reads, writes]),
    [[["lists"], undefined]],
  );
});

test("of ranges that read different forms, those that all read are certain, and all that one of them writes is to be expected", () => {
  const ranges = servers("buildbarn@2025-07-20", "buildbarn@2025-09", "buildbarn@2026-03-26");
  const { claims } = recognisedFacts(ranges)!;
  const forms = (feature: string) => {
    const { reads, writes } = claims.find((claim) => claim.feature === feature)!;
    return [reads, writes];
  };
  assert.deepEqual(forms("output-paths"), [["paths"], undefined]);
  assert.deepEqual(forms("action-platform"), [["action"], undefined]);
  assert.deepEqual(forms("output-symlinks"), [undefined, ["typed", "unified"]]);
  // Nothing that both of these read.
  const apart = recognisedFacts(servers("buildgrid@2019-12", "buildgrid@2020"))!;
  assert.ok(!apart.claims.some(({ feature }) => feature === "output-paths"));
});

test("other words for the same are the same", () => {
  const [farm] = servers("buildfarm@2.1");
  const window = { ...farm!.facts.window!, evidence: "seen by somebody else" };
  assert.deepEqual(commonPart([farm!, { ...farm!, facts: { ...farm!.facts, window } }]).undecided, []);
});

test("of two peers: both names, methods that both lack, the level only if it is one", () => {
  const candidates = servers("buildbarn@2024", "bb-clientd@2024");
  const { undecided, peers } = commonPart(candidates);
  assert.deepEqual(peers, ["buildbarn", "bb-clientd"]);
  // Where one of them is silent, the other may be wrong.
  for (const name of ["batchLimit", "output-paths", "window"]) assert.ok(undecided.includes(name), name);
  const peer = recognisedFacts(candidates)!;
  assert.equal(peer.name, "Buildbarn or bb_clientd");
  assert.equal(peer.level?.value, "2.3");
  assert.deepEqual(peer.missingMethods, [
    `${V2}.ContentAddressableStorage/GetTree`,
    `${V2}.ContentAddressableStorage/SplitBlob`,
    `${V2}.ContentAddressableStorage/SpliceBlob`,
  ]);
  assert.equal(recognisedFacts(servers("buildbarn@2024", "bb-clientd@2026"))!.level, null);
  const three = recognisedFacts(servers("buildbarn", "bb-clientd", "scoot@2022"));
  assert.equal(three?.name, "Buildbarn, bb_clientd or Scoot");
});

test("nothing is known without candidates", () => {
  assert.equal(recognisedFacts([]), null);
  assert.deepEqual(commonPart([]), { facts: {}, features: {}, undecided: [], peers: [] });
});

test("what was asked tells which methods are there", () => {
  const signs = [
    sign("empty-tree", Status.UNIMPLEMENTED),
    sign("empty-batch-read", Status.OK),
    sign("empty-batch-update", Status.INVALID_ARGUMENT),
    sign("reflection", Status.UNIMPLEMENTED),
  ];
  const { missingMethods, claims } = probedFacts({
    capabilities: null,
    capabilitiesStatus: Status.OK,
    signs,
  });
  assert.deepEqual(missingMethods, [`${V2}.ContentAddressableStorage/GetTree`]);
  assert.deepEqual(
    claims.map(({ feature, reads }) => [feature, reads]),
    [
      ["get-tree", ["absent"]],
      ["batch-methods", ["streams", "reads", "updates"]],
    ],
  );
  assert.ok(claims.every(({ evidence }) => evidence.source === "probed"));
});

test("one batch method of two is missing by itself; the other is there", () => {
  const path = "/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchReadBlobs";
  for (const capabilitiesStatus of [null, Status.UNAUTHENTICATED]) {
    const signs = [sign("empty-batch-read", Status.UNIMPLEMENTED)];
    const found = probedFacts({ capabilities: null, capabilitiesStatus, signs });
    assert.deepEqual(found.missingMethods, [path]);
    assert.deepEqual(
      found.claims.map(({ reads }) => reads),
      [["streams", "updates"]],
    );
    const both = [...signs, sign("empty-batch-update", Status.OK)];
    const { missingMethods, claims } = probedFacts({ capabilities: null, capabilitiesStatus, signs: both });
    assert.deepEqual(missingMethods, [path]);
    assert.deepEqual(
      claims.map(({ feature, reads }) => [feature, reads]),
      [["batch-methods", ["streams", "updates"]]],
    );
  }
});
