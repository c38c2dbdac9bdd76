import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiWindow } from "../../../src/peers/version-rule.ts";
import { clientDialect, type KnownClient } from "../../../src/plan/known-client.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { clientLine } from "../../support/known-peers.ts";

const WINDOW: ApiWindow = { deprecated: null, low: [2, 0], high: [2, 3] };

function dialect(client: KnownClient, window = WINDOW) {
  return clientDialect(client, window, TRANSLATORS);
}

function writes(client: KnownClient, feature: string, window = WINDOW): readonly string[] {
  return dialect(client, window).features[feature]!.writes;
}

test("one line is as its profile says", () => {
  const { name, version, features } = dialect([clientLine("buck2")]);
  assert.equal(name, "Buck2");
  assert.equal(version, "2.4");
  assert.deepEqual(features["action-platform"]?.writes, ["command"]);
  assert.equal(features["action-platform"]?.evidence.source, "profile");
});

test("a line that writes by version writes what the versions told lead to", () => {
  assert.deepEqual(writes([clientLine("bazel@8.1")], "output-paths"), ["paths"]);
  const old = { ...WINDOW, high: [2, 0] };
  assert.deepEqual(writes([clientLine("bazel@8.1")], "output-paths", old), ["lists"]);
});

test("several lines write what any of them writes, and read what all of them read", () => {
  const lines = ["bazel@6.2", "bazel@9"].map(clientLine);
  const { name, version, features, facts } = dialect(lines);
  assert.equal(name, "Bazel");
  assert.equal(version, null);
  assert.deepEqual([...features["output-paths"]!.writes].sort(), ["lists", "paths"]);
  assert.deepEqual(features["output-symlinks"]?.reads, ["typed", "both"]);
  // What differs between them is not known.
  assert.equal(facts.versionRule, undefined);
  assert.deepEqual(facts.tool, clientLine("bazel@9").facts.tool);
});

test("lines that write all their forms at once do so together, unless one of them has other forms", () => {
  const together = (...names: string[]) =>
    dialect(names.map(clientLine)).features["action-platform"]!.together;
  assert.equal(together("bazel@9"), true);
  assert.equal(together("bazel@5", "bazel@9"), true);
  assert.equal(together("bazel@4.0", "bazel@9"), undefined);
  // By the versions told, and still both at once.
  assert.equal(together("reclient"), true);
});

test("lines that read nothing in common get what the newer one reads", () => {
  const lines = [clientLine("bazel@6.2"), clientLine("buck2")].map((line, i) => ({
    ...line,
    features: {
      ...line.features,
      "output-symlinks": { reads: [i === 0 ? "typed" : "unified"], evidence: "" },
    },
  }));
  assert.deepEqual(dialect(lines).features["output-symlinks"]?.reads, ["unified"]);
});

test("a level is configured, not assumed", () => {
  const { name, version, features } = dialect("2.0");
  assert.equal(name, "a client of API 2.0");
  assert.equal(version, "2.0");
  assert.deepEqual(features["output-paths"]?.writes, ["lists"]);
  assert.deepEqual(features["output-paths"]?.evidence, { source: "configured", note: "level 2.0" });
});

test("of nothing known all is assumed", () => {
  const { name, version, features } = dialect([]);
  assert.equal(name, "the client");
  assert.equal(version, null);
  assert.equal(features["output-paths"]?.evidence.source, "assumed");
});
