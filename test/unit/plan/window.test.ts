import assert from "node:assert/strict";
import { test } from "node:test";
import { readAdvertised } from "../../../src/peers/advertised.ts";
import { windowOf } from "../../../src/peers/api-window.ts";
import type { Dialect } from "../../../src/peers/dialect.ts";
import { levelServer, serverFacts, unknownServer } from "../../../src/peers/server-dialect.ts";
import { type ApiWindow, decide } from "../../../src/peers/version-rule.ts";
import type { KnownClient } from "../../../src/plan/known-client.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { Planner } from "../../../src/plan/planner.ts";
import { codec } from "../../../src/spec/codec.ts";
import { parseLevel } from "../../../src/spec/versions.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { clientLine, serverDialect } from "../../support/known-peers.ts";

const planner = new Planner(TRANSLATORS, {});

function shown({ deprecated, low, high }: ApiWindow): string {
  const versions = `${low?.join(".") ?? "?"} to ${high?.join(".") ?? "?"}`;
  return deprecated === null ? versions : `${versions}, deprecated ${deprecated.join(".")}`;
}

/** The versions that differ from the server's own, or `its own`. */
function told({ pair }: Plan): string {
  return pair.window === undefined ? "its own" : shown(pair.window);
}

/** Clients and servers of profiles, what the client is told, and what it makes of that. */
const PAIRS = [
  // It needs 2.0, which the server still reads though it announces 2.3 and later (buildfarm 520751e43).
  ["please", "buildfarm@2.17", "2.0 to 2.11", "goes-on with 2.0"],
  ["please", "buildbarn@2025-11", "2.0 to 2.11", "goes-on with 2.0"],
  ["please", "buildfarm@2.15", "its own", "goes-on with 2.0"],
  // The old lists are still read, so no warning is due.
  ["bazel@4.2.3", "buildfarm@2.16", "2.0 to 2.11", "goes-on with 2.0"],
  // What this server reads no more, the platform in the Command and the old lists, becomes what it reads.
  ["bazel@4.0", "buildbarn@2026-03-26", "2.0 to 2.12", "goes-on with 2.0"],
  ["bazel@4.2.3", "buildbarn@2026-03-26", "2.0 to 2.12", "goes-on with 2.0"],
  ["bazel@6.2", "buildbarn@2026-03-26", "2.0 to 2.12", "goes-on with 2.0"],
  // Knows up to 2.2 and writes the new list from 2.1 on.
  ["bazel@8.1", "buildbarn@2026-03-26", "2.0 to 2.12", "goes-on with 2.2"],
  ["bazel@9", "buildbarn@2026-03-26", "its own", "goes-on with 2.11"],
  ["bazel@9", "buildfarm@1.17", "its own", "goes-on with 2.0"],
  // A version that does not exist is not passed on.
  ["bazel@9", "buildbuddy@2022", "2.0 to 2.12", "goes-on with 2.11"],
  // Reads as 0.0 to 0.0 what states no version.
  ["bazel@9", "buildgrid@2018-12", "2.0 to 2.0", "goes-on with 2.0"],
  ["buck2", "buildbarn@2026-03-26", "its own", "goes-on"],
] as const;

for (const [client, server, window, decided] of PAIRS) {
  test(`${client} at ${server} is told ${window}, and ${decided}`, () => {
    const dialect = serverDialect(server);
    const line = clientLine(client);
    const plan = planner.plan([line], dialect);
    assert.equal(told(plan), window);
    const { verdict, negotiated } = decide(line, plan.pair.window ?? windowOf(dialect.facts));
    assert.equal(negotiated === null ? verdict : `${verdict} with ${negotiated.join(".")}`, decided);
  });
}

/** A server that states these versions, which reads both forms unless said otherwise. */
function server(
  versions: object,
  outputs: readonly string[] = ["paths", "lists"],
  platform: readonly string[] = ["action", "command"],
): Dialect<"server"> {
  const bytes = codec().encode("build.bazel.remote.execution.v2.ServerCapabilities", versions);
  const known = { ...unknownServer("it"), advertised: readAdvertised(bytes) };
  const evidence = { source: "probed", note: "" } as const;
  const facts = serverFacts(known);
  const claims = [
    { feature: "output-paths", reads: outputs, evidence },
    { feature: "action-platform", reads: platform, evidence },
  ];
  return resolveDialect({ ...facts, claims: [...claims, ...facts.claims] }, TRANSLATORS);
}

function version(minor: number, major = 2): object {
  return { major, minor, patch: 0, prerelease: "" };
}

test("who writes by the highest version is told one at which it writes what is read", () => {
  const old = server({ lowApiVersion: version(0), highApiVersion: version(0) }, ["paths"]);
  assert.equal(told(planner.plan([clientLine("reclient")], old)), "2.0 to 2.1");
  const young = server({ lowApiVersion: version(0), highApiVersion: version(3) }, ["lists"]);
  assert.equal(told(planner.plan([clientLine("reclient")], young)), "2.0 to 2.0");
});

test("who writes by the version it shares is told a highest one at which it writes what is read", () => {
  const lists = server({ lowApiVersion: version(0), highApiVersion: version(12) }, ["lists"]);
  assert.equal(told(planner.plan([clientLine("bazel@8.1")], lists)), "2.0 to 2.0");
});

test("what the server states is told wherever it will do, whatever else would", () => {
  const wide = server({
    deprecatedApiVersion: version(0),
    lowApiVersion: version(2),
    highApiVersion: version(4),
  });
  for (const client of ["bazel@9", "bazel@8.1", "reclient", "siso", "buck2"]) {
    assert.equal(told(planner.plan([clientLine(client)], wide)), "its own", client);
  }
  assert.equal(told(planner.plan([clientLine("please")], wide)), "2.0 to 2.4");
});

test("a warning is better than a translation, or the end", () => {
  const only = clientLine("bazel@6.2");
  const rule = { needs: "meets", low: "2.0", high: "2.0", deprecated: "warns", unstated: "refuses" } as const;
  const gated = {
    ...only,
    facts: {
      ...only.facts,
      versionRule: { ...rule, evidence: "" },
      versionGates: {
        by: "negotiated",
        unmet: "newer",
        gates: [{ feature: "output-paths", from: "2.1", newer: ["paths"], older: ["lists"], of: "writes" }],
        evidence: "",
      },
    },
  } as const;
  // Sharing 2.0 it would write lists; only if it shares nothing it writes what is read.
  const stated = {
    deprecatedApiVersion: version(0),
    lowApiVersion: version(3),
    highApiVersion: version(11),
  };
  const plan = planner.plan([gated], server(stated, ["paths"]));
  assert.equal(told(plan), "its own");
  assert.equal(decide(gated, windowOf(plan.pair.server.facts)).verdict, "warns");
});

/** What servers may state that makes no sense, and what Please is told of it. */
const NONSENSE: readonly (readonly [what: string, versions: object, told: string])[] = [
  ["99.9", { lowApiVersion: version(0), highApiVersion: version(9, 99) }, "2.0 to 2.12"],
  ["no versions", {}, "2.0 to 2.0"],
  ["a major of 3", { lowApiVersion: version(0, 3), highApiVersion: version(1, 3) }, "2.0 to 2.12"],
  [
    "a low version above the high one",
    { lowApiVersion: version(5), highApiVersion: version(3) },
    "2.0 to 2.3",
  ],
  [
    "a prerelease",
    { lowApiVersion: version(0), highApiVersion: { major: 2, minor: 3, patch: 0, prerelease: "rc1" } },
    "its own",
  ],
];

for (const [what, versions, expected] of NONSENSE) {
  test(`a server that states ${what}`, () => {
    const plan = planner.plan([clientLine("please")], server(versions));
    assert.equal(told(plan), expected);
    assert.notEqual(
      decide(clientLine("please"), plan.pair.window ?? windowOf(plan.pair.server.facts)).verdict,
      "refuses",
    );
  });
}

function toldAll(client: KnownClient, name: string): string {
  return told(planner.plan(client, serverDialect(name)));
}

test("a client that is only known by its level is told that level where it is served", () => {
  assert.equal(toldAll("2.2", "buildfarm@2.17"), "2.2 to 2.11, deprecated 2.0");
  assert.equal(toldAll("2.0", "buildbarn@2026-03-26"), "2.0 to 2.12");
  assert.equal(toldAll("2.12", "buildfarm@2.17"), "its own");
});

test("a client of which nothing is known is told the lowest version whose clients are served", () => {
  assert.equal(toldAll([], "buildfarm@2.17"), "2.0 to 2.11");
  assert.equal(toldAll([], "buildfarm@1.17"), "its own");
  // Clients of 2.0 declare outputs where this one does not look: they are declared to it where it does.
  assert.equal(toldAll([], "buildbarn@2026-03-26"), "2.0 to 2.12");
});

test("a client that may be one of several is told what all of them go on with", () => {
  const lines = ["bazel@6.2", "bazel@8.1"].map(clientLine);
  assert.equal(toldAll(lines, "buildfarm@2.17"), "2.0 to 2.11");
});

test("levels of servers announce themselves", () => {
  const of = (level: string) => resolveDialect(levelServer(parseLevel(level)), TRANSLATORS);
  assert.equal(told(planner.plan([clientLine("please")], of("2.11"))), "its own");
  assert.equal(shown(windowOf(of("main").facts)), "2.0 to 2.12");
});

test("with the policy off the server's own versions are told, whatever they are", () => {
  const off = new Planner(TRANSLATORS, { "api-version": "off" });
  assert.equal(told(off.plan([clientLine("please")], serverDialect("buildfarm@2.17"))), "its own");
  assert.equal(told(off.plan([clientLine("bazel@9")], serverDialect("buildgrid@2018-12"))), "its own");
});
