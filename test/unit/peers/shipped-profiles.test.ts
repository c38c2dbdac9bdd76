import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { CLIENT_FACTS } from "../../../src/peers/client-facts.ts";
import type { Role } from "../../../src/peers/profile.ts";
import { ProfileCatalogue } from "../../../src/peers/profile-catalogue.ts";
import { PROFILE_FEATURES } from "../../../src/peers/profile-features.ts";
import { readProfile, shippedFiles, shippedProfiles } from "../../../src/peers/read-profile.ts";
import { SERVER_FACTS } from "../../../src/peers/server-facts.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";

const profiles = shippedProfiles();

/** The lines of known peers: for each, a first and a last version or date of it. */
const LINES: Readonly<Record<Role, Readonly<Record<string, readonly string[]>>>> = {
  server: {
    buildfarm: [
      ...["1.0.0", "1.4.1", "1.5.0", "1.17.0", "2.0.0", "2.1.0", "2.2.0", "2.9.0", "2.10.0", "2.11.1"],
      ...["2.12.0", "2.15.0", "2.16.0", "2.17.0"],
    ],
    buildbarn: [
      "2019-02",
      "2020-05",
      "2020-06-26",
      "2023-05-17",
      "2025-08-12",
      "2025-10",
      "2026-03-26",
      "2026-08",
    ],
    "bb-clientd": ["2026-03"],
    "bb-remote-asset": ["2026-06"],
    buildgrid: ["2018-05", "2018-11-26", "2018-11-27", "2019-02-18", "2019-02-19", "2019-12", "2026"],
    "buildbox-casd": ["2021-03"],
    "buildstream-bst-artifact-server": ["1.2", "1.6"],
    scoot: ["2017-10", "2018-07-09", "2018-07-10", "2022-03-03"],
    "google-rbe": [],
    buildbuddy: ["2022", "2023-04", "2023-05-30", "2024-09", "2024-10", "2026"],
    nativelink: ["0.1.0", "1.0.0", "1.6.0", "1.6.1", "1.6.6"],
    "bazel-remote": ["1.0.0", "1.3.4", "2.0.0", "2.3.9", "2.4.0", "2.5.2", "2.6.0", "2.6.2"],
    "justbuild-execute": ["1.6.0"],
    kajiya: [],
    engflow: [],
    "please-servers": ["2026-07"],
    "bazel-remote-worker": ["4.2.3", "6.0.0", "7.0.0"],
    kura: ["2026-08", "2026-09"],
  },
  client: {
    bazel: [
      ...["0.17.2", "4.0.0", "4.2.3", "5.0.0", "5.4.1", "6.2.1", "6.3.0", "6.5.0", "7.7.1"],
      ...["8.0.0", "8.5.1", "8.7.0", "9.0.0", "9.1.0", "9.3.0"],
    ],
    buildstream: ["1.2.0", "1.6.8", "1.91.0", "1.93.4", "2.0.0", "2.3.0", "2.4.0", "2.7.0"],
    "buildbox-recc": ["2021-03"],
    "remote-apis-sdks-reclient": ["2026-03"],
    buck2: ["2026-08"],
    pants: ["2.18", "2.32", "2.33"],
    siso: ["2025-05", "2026"],
    please: ["17.0.0"],
    moon: ["2026-08"],
    justbuild: ["1.6.0"],
    goma: ["2023"],
    "nativelink-as-client": ["1.6.0"],
  },
};

test("every known peer has a profile, and every line of it a range", () => {
  for (const role of ["server", "client"] as const) {
    for (const [peer, versions] of Object.entries(LINES[role])) {
      assert.equal(profiles.resolve(role, peer), profiles.ranges(role, peer).at(-1));
      for (const version of versions) assert.ok(profiles.resolve(role, `${peer}@${version}`));
    }
  }
});

test("a file is named after its peer and lies with its role", () => {
  const files = shippedFiles();
  assert.ok(files.length > 0);
  for (const file of files) {
    const { role, peer } = JSON.parse(readFileSync(file, "utf8"));
    assert.equal(`${basename(dirname(file))}/${basename(file)}`, `${role}s/${peer}.json`);
  }
});

test("every file is a valid profile by itself, as the start takes it to be", () => {
  for (const file of shippedFiles()) readProfile(file, ProfileCatalogue.EMPTY);
});

test("the name of each range leads back to it", () => {
  for (const role of ["server", "client"] as const) {
    for (const peer of profiles.names(role)) {
      for (const range of profiles.ranges(role, peer)) {
        if (range.peer === peer) assert.equal(profiles.resolve(role, range.name), range);
      }
    }
  }
});

test("each range says which level the peer follows", () => {
  for (const role of ["server", "client"] as const) {
    for (const peer of profiles.names(role)) {
      for (const { name, facts } of profiles.ranges(role, peer)) assert.ok(facts.level, name);
    }
  }
});

test("profiles speak of features by the names and forms of their translators", () => {
  for (const [id, { forms }] of Object.entries(PROFILE_FEATURES)) {
    const translator = TRANSLATORS.find(({ feature }) => feature.id === id);
    assert.ok(translator, `no translator is called ${id}`);
    assert.deepEqual(Object.keys(translator.feature.forms).sort(), [...forms].sort(), id);
  }
});

/** What only the operator of a server can know; docs/profiles.md shows it. */
const OF_OPERATORS: readonly string[] = [
  "platformTable",
  "compressors.unkept",
  "committedSize.existing",
  "blobLimit.bytes",
];

test("no fact is without a profile that states it, but for those that are operators' own", () => {
  for (const [role, table] of [
    ["server", SERVER_FACTS],
    ["client", CLIENT_FACTS],
  ] as const) {
    const ranges = profiles.names(role).flatMap((peer) => profiles.ranges(role, peer));
    for (const [fact, { members }] of Object.entries(table)) {
      if (OF_OPERATORS.includes(fact)) continue;
      const stated = ranges.map(({ facts }) => (facts as Record<string, object | undefined>)[fact] ?? {});
      for (const member of Object.keys(members)) {
        assert.ok(
          OF_OPERATORS.includes(`${fact}.${member}`) || stated.some((values) => member in values),
          `${role}: ${fact}.${member}`,
        );
      }
    }
  }
});

test("every fact is used by a feature or a part of this project", () => {
  const users = new Set([
    ...TRANSLATORS.map(({ feature }) => feature.id),
    ...["every feature", "embedded server", "test client", "upstream port", "recognition"],
  ]);
  for (const [fact, { usedBy }] of [...Object.entries(SERVER_FACTS), ...Object.entries(CLIENT_FACTS)]) {
    assert.ok(usedBy.length > 0, fact);
    for (const user of usedBy) assert.ok(users.has(user), `${fact}: ${user}`);
  }
});

/** What names people use stand for. */
const RESOLVED = [
  ["buildbarn@2026-03-26", "from 2026-03-26"],
  ["buildbarn", "from 2026-03-26"],
  ["bb-storage@2024", "2023-12-22 to 2025-07-14"],
  ["buildfarm@1.17", "1.17"],
  ["buildfarm@2.15", "2.12 to 2.15"],
  ["buildfarm@2.17.0", "from 2.16"],
  ["buildfarm@v2.9.0-rc1", "2.8 to 2.9"],
  ["buildgrid@2019", "2019-02-19 to 2019-12"],
  ["scoot@2022", "2018-07-10 to 2022-03-03"],
  ["bazel-remote@2.6", "from 2.6"],
  ["nativelink@1.6", "from 1.6.1"],
  ["nativelink@1.6.0", "1.2 to 1.6.0"],
  ["buildbuddy@2022", "up to 2023-05-29"],
  ["rbe", ""],
] as const;

for (const [name, range] of RESOLVED) {
  test(`${name} is one range`, () => assert.equal(profiles.resolve("server", name).range, range));
}

test("a range has what the ranges before it said, and nothing they said before it began afresh", () => {
  const farm = profiles.resolve("server", "buildfarm@2.15");
  assert.deepEqual(farm.features["output-paths"]?.reads, ["paths", "lists"]);
  assert.deepEqual(farm.features["action-platform"]?.reads, ["command"]);
  assert.equal(farm.facts.window?.high, "2.0");
  assert.equal(farm.facts.sortedLists?.required, true);
  assert.equal(profiles.resolve("server", "buildgrid@2026").facts.platformMatch, undefined);
  assert.equal(profiles.resolve("server", "buildgrid@2019").facts.platformMatch?.by, "registered-names");
});
