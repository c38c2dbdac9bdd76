import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Behaviour } from "../../../src/embedded/behaviour/behaviour.ts";
import { NOT_PLAYED } from "../../../src/embedded/behaviour/not-played.ts";
import { profileBehaviour } from "../../../src/embedded/behaviour/of-profile.ts";
import { DEFAULT_SETUP } from "../../../src/embedded/behaviour/setup.ts";
import { textFitting } from "../../../src/embedded/behaviour/sign-text.ts";
import type { ResolvedServer } from "../../../src/peers/profile.ts";
import { PROFILE_FEATURES } from "../../../src/peers/profile-features.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { SERVER_FACTS } from "../../../src/peers/server-facts.ts";

const CATALOGUE = shippedProfiles();
const SERVERS = [...new Set(CATALOGUE.names("server").flatMap((name) => CATALOGUE.ranges("server", name)))];

function behaviour(name: string, setup = {}): Behaviour {
  return profileBehaviour(CATALOGUE.resolve("server", name), { ...DEFAULT_SETUP, ...setup });
}

/** Notes what is read of facts or claims: `fact.member`. */
function noting<T extends object>(facts: T, prefix: string, seen: Set<string>): T {
  return new Proxy(facts, {
    get(_, fact: string) {
      const value = (facts as Record<string, unknown>)[fact];
      if (typeof value !== "object" || value === null) return value;
      return new Proxy(value, {
        get(members, member: string) {
          seen.add(`${prefix}${fact}.${member}`);
          return (members as Record<string, unknown>)[member];
        },
      });
    },
  });
}

test("every fact and feature of a server is played, or it is said why not", () => {
  const seen = new Set<string>();
  for (const server of SERVERS) {
    const facts = noting(server.facts, "", seen);
    const features = noting(server.features, "feature:", seen);
    for (const optional of [false, true]) {
      profileBehaviour({ ...server, facts, features }, { ...DEFAULT_SETUP, optional });
    }
  }
  const all = Object.entries(SERVER_FACTS).flatMap(([fact, { members }]) =>
    Object.keys(members).map((member) => ({ fact, name: `${fact}.${member}` })),
  );
  const unplayed = all.filter(({ name }) => !seen.has(name));
  const unexplained = unplayed.filter(({ fact, name }) => !(fact in NOT_PLAYED || name in NOT_PLAYED));
  assert.deepEqual(unexplained, []);
  const used = new Set(SERVERS.flatMap(({ features }) => Object.keys(features)));
  for (const feature of used) {
    const isSeen = seen.has(`feature:${feature}.reads`) || seen.has(`feature:${feature}.writes`);
    assert.equal(isSeen, !(`feature:${feature}` in NOT_PLAYED), feature);
  }
  for (const name of Object.keys(NOT_PLAYED)) {
    const known = name.startsWith("feature:")
      ? name.slice("feature:".length) in PROFILE_FEATURES
      : all.some((each) => each.fact === name || each.name === name);
    assert.ok(known, `${name} is no fact`);
    assert.ok(![...seen].some((each) => each === name || each.startsWith(`${name}.`)), `${name} is played`);
  }
});

test("every feature that a profile may claim of a server reaches the behaviour", () => {
  const server = CATALOGUE.resolve("server", "buildfarm@2.16");
  const seen = new Set<string>();
  const claims = Object.entries(PROFILE_FEATURES).filter(([, { of }]) =>
    of.some((role) => role === "server"),
  );
  const features = Object.fromEntries(
    claims.map(([name, { forms }]) => [name, { reads: forms, writes: forms, evidence: "a test" }]),
  );
  profileBehaviour({ ...server, features: noting(features, "feature:", seen) });
  const reached = claims
    .map(([name]) => name)
    .filter((name) => [...seen].some((at) => at.includes(`:${name}.`)));
  const listed = claims.map(([name]) => name).filter((name) => `feature:${name}` in NOT_PLAYED);
  assert.deepEqual([...reached, ...listed].sort(), claims.map(([name]) => name).sort());
});

test("the documentation lists what is not played, with the same reasons", async () => {
  const page = await readFile(new URL("../../../docs/embedded-server.md", import.meta.url), "utf8");
  for (const [name, why] of Object.entries(NOT_PLAYED))
    assert.ok(page.includes(`| \`${name}\` | ${why} |`), name);
});

test("the text of every sign of a shipped profile can be made", () => {
  for (const { name, facts } of SERVERS) {
    for (const { ask, text } of facts.recognition?.signs ?? []) {
      if (text !== undefined) assert.ok(textFitting(text) !== null, `${name}: ${ask}`);
    }
  }
});

test("texts that fit an expression", () => {
  assert.equal(textFitting("no such thing"), "no such thing");
  assert.equal(textFitting("^at \\(1\\.2\\)$"), "at (1.2)");
  assert.equal(textFitting("code [0-9]+"), null);
});

test("names of the issue resolve to the ranges they are meant for", () => {
  const levels = Object.fromEntries(
    ["buildbarn@2026-03-26", "buildfarm@1.17", "buildfarm@2.15", "buildgrid@2019", "scoot@2022"].map(
      (name) => [name, behaviour(name).level],
    ),
  );
  assert.deepEqual(levels, {
    "buildbarn@2026-03-26": "2.12",
    "buildfarm@1.17": "2.0",
    "buildfarm@2.15": "2.0",
    "buildgrid@2019": "2.0",
    "scoot@2022": "2018-11",
  });
});

test("one deployment of a server with one of several functions has the first; others have all that can be computed", () => {
  const names = (name: string) => behaviour(name).functions.map((each) => each.name);
  assert.deepEqual(names("buildfarm@1.17"), ["SHA256"]);
  assert.deepEqual(names("buildfarm@2.15"), ["MD5", "SHA1", "SHA256", "SHA384", "SHA512", "BLAKE3"]);
  assert.deepEqual(names("nativelink@1.6"), ["SHA256", "BLAKE3"]);
});

test("a server that offers nothing that can be computed here is not played", () => {
  const server = CATALOGUE.resolve("server", "nativelink@1.6");
  const digestFunctions = { are: ["VSO"], several: false, evidence: "a test" } as const;
  const other: ResolvedServer = { ...server, facts: { ...server.facts, digestFunctions } };
  assert.throws(() => profileBehaviour(other), {
    name: "RangeError",
    message: /offers VSO, none of which/,
  });
});

test("what only configuration brings is there if it is asked for", () => {
  const split = "/build.bazel.remote.execution.v2.ContentAddressableStorage/SplitBlob";
  const plain = behaviour("nativelink@1.6");
  assert.equal(plain.methods.has(split), false);
  assert.deepEqual(plain.announced.compressors, []);
  assert.equal(plain.announced.split, false);
  const optional = behaviour("nativelink@1.6", { optional: true });
  assert.equal(optional.methods.has(split), true);
  assert.deepEqual(optional.announced.compressors, [1]);
  assert.equal(optional.announced.split, true);
  assert.equal(behaviour("buildfarm@2.9").announced.absoluteSymlinks, false);
  assert.equal(behaviour("buildfarm@2.9", { optional: true }).announced.absoluteSymlinks, true);
});
