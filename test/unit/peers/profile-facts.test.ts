import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dialect } from "../../../src/peers/dialect.ts";
import type { Role } from "../../../src/peers/profile.ts";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";

const profiles = shippedProfiles();
const STORAGE = "/build.bazel.remote.execution.v2.ContentAddressableStorage";

function dialect(role: Role, name: string): Dialect {
  return resolveDialect(peerFacts(profiles.resolve(role, name)), TRANSLATORS);
}

/** What a server reads, or a client writes, of a feature. */
function asks(role: Role, name: string, feature: string): readonly string[] | undefined {
  const support = dialect(role, name).features[feature];
  return role === "server" ? support?.reads : support?.writes;
}

test("every range makes a dialect", () => {
  for (const role of ["server", "client"] as const) {
    for (const peer of profiles.names(role)) {
      for (const { name } of profiles.ranges(role, peer)) {
        for (const { reads, writes } of Object.values(dialect(role, name).features)) {
          assert.ok(reads.length > 0 && writes.length > 0, name);
        }
      }
    }
  }
});

test("a claim says which profile it is from, and why", () => {
  const { name, features } = dialect("server", "buildbarn@2026-03-26");
  assert.equal(name, "Buildbarn from 2026-03-26");
  assert.equal(features["action-platform"]?.evidence.source, "profile");
  assert.match(features["action-platform"]?.evidence.note ?? "", /^profile buildbarn@2026-03-26: e6ab874/);
});

/** What matters most in the published matrices of servers: what each line reads. */
const SERVERS = [
  ["buildfarm@1.17", "output-paths", ["lists"]],
  ["buildfarm@2.15", "output-paths", ["paths", "lists"]],
  ["buildfarm@2.15", "action-platform", ["command"]],
  ["buildfarm@2.17", "action-platform", ["action", "command"]],
  ["buildbarn@2020-05", "output-paths", ["lists"]],
  ["buildbarn@2023-05", "output-paths", ["paths", "lists"]],
  ["buildbarn@2026-03-26", "output-paths", ["paths"]],
  ["buildbarn@2026-03-26", "action-platform", ["action"]],
  ["buildbarn@2026-03-26", "get-tree", ["absent"]],
  ["buildbarn@2026-03-26", "node-properties", ["some", "inputs", "none"]],
  ["buildfarm@2.15", "node-properties", ["none"]],
  ["buildgrid@2020", "node-properties", ["some", "inputs", "none"]],
  ["engflow", "node-properties", ["message", "inputs", "none"]],
  ["buildbarn@2026-03-26", "chunking", ["whole"]],
  ["buildgrid@2018-06", "capabilities-service", ["absent"]],
  ["buildgrid@2019", "get-tree", ["offered", "absent"]],
  ["buildgrid@2019", "resource-names", ["plain"]],
  ["scoot@2022", "wait-execution", ["absent"]],
  ["scoot@2018-06", "ancient-clients", ["v1test"]],
  ["buildbuddy@2024", "action-platform", ["action", "command"]],
  ["nativelink@1.6", "compressed-blobs", ["plain"]],
  ["bazel-remote@1.3", "compressed-blobs", ["plain"]],
  ["bazel-remote@2.6", "compressed-blobs", ["plain", "zstd"]],
  ["bazel-remote@2.6", "read-range", ["whole", "offset", "compressed-offset"]],
  ["buildbarn@2022-06-01", "read-range", ["whole", "offset", "compressed-offset"]],
  ["buildbarn@2026-03-26", "read-range", ["whole", "offset"]],
  ["nativelink@1.6", "read-range", ["whole", "offset", "compressed-offset", "limit"]],
  ["buildbarn@2026-03-26", "write-status", ["absent"]],
  ["bazel-remote@2.6", "write-status", ["offered", "absent"]],
  ["bazel-remote@2.6", "chunking", ["splices", "whole"]],
  ["bazel-remote@2.6", "get-tree", ["whole", "absent"]],
  ["please-servers", "get-tree", ["whole", "absent"]],
  ["nativelink@1.6", "get-tree", ["recoded", "absent"]],
  ["buildbarn", "get-tree", ["absent"]],
] as const;

for (const [name, feature, forms] of SERVERS) {
  test(`${name} reads ${feature} as ${forms.join(" or ")}`, () => {
    assert.deepEqual(asks("server", name, feature), forms);
  });
}

/** The same of clients: what each line writes. */
const CLIENTS = [
  ["bazel@4.2.3", "output-paths", ["lists"]],
  ["bazel@6.3", "output-paths", ["lists", "paths"]],
  ["bazel@4.0", "action-platform", ["command"]],
  ["bazel@8", "action-platform", ["action", "command"]],
  ["bazel@4", "compressed-blobs", ["plain"]],
  ["buildstream@2.3", "output-paths", ["paths"]],
  ["bazel@9", "node-properties", ["inputs", "none"]],
  ["buildstream@1.93.1", "node-properties", ["none"]],
  ["buildstream@1.93.3", "node-properties", ["none", "2020-03"]],
  ["buildstream@1.93.4", "node-properties", ["none", "message"]],
  ["buck2", "action-platform", ["command"]],
  ["buck2", "wait-execution", ["absent"]],
  ["pants@2.32", "output-paths", ["lists"]],
  ["pants@2.33", "output-paths", ["paths"]],
  ["please", "output-paths", ["paths"]],
] as const;

for (const [name, feature, forms] of CLIENTS) {
  test(`${name} writes ${feature} as ${forms.join(" or ")}`, () => {
    assert.deepEqual(asks("client", name, feature), forms);
  });
}

test("the count of a compressed upload is as the profile says, on either side", () => {
  assert.deepEqual(dialect("server", "kajiya").features["committed-size"]?.writes, ["blob", "minus-one"]);
  assert.deepEqual(dialect("server", "buildfarm@2.15").features["committed-size"]?.writes, ["minus-one"]);
  assert.deepEqual(dialect("client", "siso@2025-05").features["committed-size"]?.reads, ["blob"]);
  assert.deepEqual(dialect("client", "bazel@9.3").features["committed-size"]?.reads, [
    "sent",
    "minus-one",
    "blob",
  ]);
});

test("methods that are missing are named by path, those that configuration may bring are not", () => {
  const paths = (name: string): readonly string[] => dialect("server", name).missingMethods;
  assert.ok(paths("buildbarn").includes(`${STORAGE}/GetTree`));
  assert.ok(!paths("buildfarm").includes(`${STORAGE}/GetTree`));
  assert.ok(paths("bazel-remote").includes("/build.bazel.remote.execution.v2.Execution/Execute"));
  assert.ok(!paths("bazel-remote@2.6").includes(`${STORAGE}/SpliceBlob`));
  assert.ok(paths("nativelink@1.6.0").includes(`${STORAGE}/SpliceBlob`));
  assert.ok(!paths("nativelink@1.6").includes(`${STORAGE}/SpliceBlob`));
  assert.deepEqual(dialect("client", "bazel").missingMethods, []);
});

test("functions of which a deployment offers one are left open", () => {
  assert.deepEqual(dialect("server", "buildfarm@1.17").digestFunctions, []);
  assert.deepEqual(dialect("server", "nativelink").digestFunctions, [1, 9]);
  assert.deepEqual(dialect("client", "pants").digestFunctions, [1]);
});
