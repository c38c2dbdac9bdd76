import assert from "node:assert/strict";
import { test } from "node:test";
import type { Advertised } from "../../../src/peers/advertised.ts";
import type { ResolvedServer } from "../../../src/peers/profile.ts";
import { ProfileCatalogue } from "../../../src/peers/profile-catalogue.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { recogniseServer, tellingAsks } from "../../../src/peers/recognise-server.ts";
import { ASKS } from "../../../src/upstream/asks.ts";
import type { Observations } from "../../../src/upstream/probe.ts";
import { Status } from "../../../src/wire/status.ts";
import { advertisedIn, seenOf, sign } from "./known-server.ts";

const profiles = shippedProfiles();
const all = [...new Set(profiles.names("server").flatMap((peer) => profiles.ranges("server", peer)))];

const NOTHING: Observations = { capabilities: null, capabilitiesStatus: null, signs: [] };

function namesFor(seen: Observations, advertised: Advertised | null = advertisedIn(seen)): string[] {
  return recogniseServer(profiles, seen, advertised).candidates.map(({ name }) => name);
}

/** What is seen of a server as its profile says, with some of it changed. */
function seenAs(
  name: string,
  changes: (announced: Advertised) => Partial<Advertised>,
  signs?: Observations["signs"],
): string[] {
  const seen = seenOf(profiles.resolve("server", name));
  const announced = advertisedIn(seen)!;
  return namesFor({ ...seen, signs: signs ?? seen.signs }, { ...announced, ...changes(announced) });
}

const BARN_2_0 = [
  "buildbarn@2020-02-19",
  "buildbarn@2020-06-25",
  "buildbarn@2021-03-07",
  "buildbarn@2022-12",
  "buildbarn@2023-05-16",
];
const BARN_2_3 = [
  "buildbarn@2023-12-21",
  "buildbarn@2025-07-14",
  "buildbarn@2025-08-11",
  "buildbarn@2025-10",
];
const FARM_1 = ["buildfarm@1.4", "buildfarm@1.10", "buildfarm@1.16"];
const FARM_2 = ["buildfarm@2.1", "buildfarm@2.7", "buildfarm@2.9", "buildfarm@2.11"];
const LINK = ["nativelink@1.1", "nativelink@1.6.0", "nativelink@1.6.1"];
const CACHE_2_3 = ["bazel-remote@2.3.3", "bazel-remote@2.3.4", "bazel-remote@2.3"];

/**
 * What each range is held for where it does all that its profile says, and says itself no more than that. Those with nothing have no sign
 * of their own, and are not told apart from strangers by what they announce.
 */
const HELD_FOR: Readonly<Record<string, readonly string[]>> = {
  "bazel-remote@1": ["bazel-remote@1"],
  "bazel-remote@2.1": ["bazel-remote@2.1"],
  "bazel-remote@2.3.3": CACHE_2_3,
  "bazel-remote@2.3.4": CACHE_2_3,
  "bazel-remote@2.3": CACHE_2_3,
  "bazel-remote@2.5.1": ["bazel-remote@2.5.1", "bazel-remote@2.5", "bazel-remote@2.6"],
  "bazel-remote@2.5": ["bazel-remote@2.5", "bazel-remote@2.6"],
  "bazel-remote@2.6": ["bazel-remote@2.5", "bazel-remote@2.6"],
  "bazel-remote-worker@5": [],
  "bazel-remote-worker@6": [],
  "bazel-remote-worker@7": [],
  "bb-clientd@2025-10": ["bb-clientd@2025-10"],
  "bb-clientd@2025-11": ["bb-clientd@2025-11"],
  "bb-remote-asset": ["bb-remote-asset"],
  "buildbarn@2020-02-19": BARN_2_0,
  "buildbarn@2020-06-25": BARN_2_0,
  "buildbarn@2021-03-07": BARN_2_0,
  "buildbarn@2022-12": BARN_2_0,
  "buildbarn@2023-05-16": BARN_2_0,
  "buildbarn@2023-12-21": BARN_2_3,
  "buildbarn@2025-07-14": BARN_2_3,
  "buildbarn@2025-08-11": BARN_2_3,
  "buildbarn@2025-10": BARN_2_3,
  "buildbarn@2025-12-30": ["buildbarn@2025-12-30"],
  "buildbarn@2026-01-26": ["buildbarn@2026-01-26"],
  "buildbarn@2026-02-13": ["buildbarn@2026-02-13"],
  "buildbarn@2026-03-25": ["buildbarn@2026-03-25"],
  "buildbarn@2026-03-26": ["buildbarn@2026-03-26"],
  "buildstream-bst-artifact-server@1.6": [],
  "buildbox-casd": [],
  "buildbuddy@2023-05-29": ["buildbuddy@2023-05-29"],
  "buildbuddy@2024-09": [],
  "buildbuddy@2025-06": [],
  "buildbuddy@2025-10": [],
  "buildbuddy@2025-11": [],
  "buildfarm@1.4": [],
  "buildfarm@1.10": FARM_1,
  "buildfarm@1.16": FARM_1,
  "buildfarm@1.17": ["buildfarm@1.17"],
  "buildfarm@2.1": FARM_2,
  "buildfarm@2.7": FARM_2,
  "buildfarm@2.9": FARM_2,
  "buildfarm@2.11": FARM_2,
  "buildfarm@2.15": ["buildfarm@2.15"],
  "buildfarm@2.16": ["buildfarm@2.16"],
  "buildgrid@2018-11-26": ["buildgrid@2018-11-26"],
  "buildgrid@2019-02-18": ["buildgrid@2019-02-18"],
  "buildgrid@2019-12": ["buildgrid@2019-12"],
  "buildgrid@2020": [],
  engflow: [],
  "google-rbe": [],
  "justbuild-execute@1.6": ["justbuild-execute@1.6"],
  kajiya: [],
  "kura@2026-08": [],
  "kura@2026-09": [],
  "nativelink@0.5": ["nativelink@0.5"],
  "nativelink@1.1": LINK,
  "nativelink@1.6.0": LINK,
  "nativelink@1.6.1": LINK,
  "please-servers": ["please-servers"],
  "scoot@2018-07-09": [],
  "scoot@2022-03-03": ["scoot@2022-03-03"],
};

test("each range of the catalogue has its line", () => {
  assert.deepEqual(Object.keys(HELD_FOR).sort(), all.map(({ name }) => name).sort());
});

for (const server of all) {
  test(`${server.name} is recognised, or honestly not, and never taken for another peer`, () => {
    const seen = seenOf(server);
    const { candidates, possible } = recogniseServer(profiles, seen, advertisedIn(seen));
    assert.ok(possible.includes(server), "what it does is as its own profile says");
    assert.deepEqual(
      candidates.map(({ name }) => name),
      HELD_FOR[server.name],
    );
    if (candidates.length > 0) assert.ok(candidates.includes(server));
  });
}

test("whatever is not answered, no server is taken for others only", () => {
  for (const server of all) {
    const seen = seenOf(server);
    const parts = [
      { ...seen, signs: [] },
      { ...seen, capabilities: null, capabilitiesStatus: null },
      ...seen.signs.map((left) => ({ ...seen, signs: seen.signs.filter((each) => each !== left) })),
      ...seen.signs.map((kept) => ({ ...seen, signs: [kept] })),
    ];
    for (const part of parts) {
      const { candidates, possible } = recogniseServer(profiles, part, advertisedIn(part));
      assert.ok(possible.includes(server), server.name);
      assert.ok(candidates.length === 0 || candidates.includes(server), server.name);
    }
  }
});

test("a stranger that announces what is common is nobody's", () => {
  const old = { major: 2, minor: 0, patch: 0, prerelease: "" };
  const common = { deprecated: null, low: old, storeFunctions: [1], nodeProperties: [], writesResults: true };
  for (const minor of [0, 1, 2, 3, 11, 12]) {
    for (const maxBatchBytes of [0, 4_194_304, 4_193_000]) {
      for (const compressors of [[], [1], [0, 1]]) {
        const changes = {
          ...common,
          high: { ...old, minor },
          maxBatchBytes,
          compressors,
          absoluteSymlinks: 2,
        };
        assert.deepEqual(
          seenAs("engflow", () => changes),
          [],
          JSON.stringify(changes),
        );
      }
    }
  }
});

test("nothing is known of a server that nothing was seen of, and it may be any", () => {
  const { candidates, possible } = recogniseServer(profiles, NOTHING, null);
  assert.deepEqual(candidates, []);
  assert.deepEqual(new Set(possible), new Set(all));
});

test("a text alone leaves every range of its peers open, where GetCapabilities says nothing", () => {
  const signs = [
    sign("empty-tree", Status.UNIMPLEMENTED, "This service does not support downloading directory trees"),
  ];
  const barns = ["bb-clientd", "buildbarn"].flatMap((peer) => profiles.ranges("server", peer));
  for (const capabilitiesStatus of [null, Status.UNAUTHENTICATED, Status.INVALID_ARGUMENT]) {
    const names = namesFor({ capabilities: null, capabilitiesStatus, signs });
    assert.deepEqual(
      names,
      barns.map(({ name }) => name),
    );
  }
  assert.deepEqual(namesFor({ capabilities: null, capabilitiesStatus: Status.UNIMPLEMENTED, signs }), []);
});

test("a text is no proof against what is announced", () => {
  const low = { major: 2, minor: 1, patch: 0, prerelease: "" };
  assert.deepEqual(
    seenAs("buildbarn", () => ({ low })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", ({ high }) => ({ high: { ...high!, prerelease: "rc1" } })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ deprecated: null })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ maxBatchBytes: 4_194_304 })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ maxBlobBytes: 1 })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ absoluteSymlinks: 1 })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ storeFunctions: [1, 7] })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ compressors: [2] })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ nodeProperties: ["mtime"] })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ splices: true })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ executes: false })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ priorities: [{ min: 0, max: 9 }] })),
    [],
  );
});

test("what configuration decides is no contradiction", () => {
  const barn = ["buildbarn@2026-03-26"];
  assert.deepEqual(
    seenAs("buildbarn", () => ({ compressors: [1] })),
    barn,
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ writesResults: false })),
    barn,
  );
  assert.deepEqual(
    seenAs("buildbarn", ({ storeFunctions: [a, ...rest] }) => ({ storeFunctions: [...rest, a!, a!] })),
    barn,
  );
  assert.deepEqual(
    seenAs("buildfarm", () => ({ absoluteSymlinks: 2, maxBlobBytes: 0 })),
    ["buildfarm@2.16"],
  );
  assert.deepEqual(
    seenAs("nativelink", () => ({ nodeProperties: ["cpu_arch"], splits: true, splices: true })),
    ["nativelink@1.6.1"],
  );
  assert.deepEqual(
    seenAs("nativelink", () => ({ compressors: [1], batchCompressors: [1] })),
    ["nativelink@1.6.1"],
  );
});

test("an endpoint for one half of the API is no contradiction", () => {
  const none = { storeFunctions: [], maxBatchBytes: 0, absoluteSymlinks: 0 };
  assert.deepEqual(
    seenAs("buildbarn", () => ({ ...none, statesStore: false })),
    ["buildbarn@2026-03-26"],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({ statesExecution: false, executes: false })),
    ["buildbarn@2026-03-26"],
  );
  // Without either sign or limits there is no proof.
  assert.deepEqual(
    seenAs("please-servers", () => ({ ...none, statesStore: false })),
    [],
  );
});

test("one digest function of several that a deployment may choose", () => {
  const farm = ["buildfarm@2.11"];
  assert.deepEqual(
    seenAs("buildfarm@2.11", () => ({ storeFunctions: [9] })),
    farm,
  );
  assert.deepEqual(
    seenAs("buildfarm@2.11", () => ({ storeFunctions: [1, 9] })),
    // Of those that it has since 2.12.
    ["buildfarm@2.15"],
  );
  assert.deepEqual(
    seenAs("buildfarm@2.11", () => ({ storeFunctions: [] })),
    [],
  );
});

test("compressors are told apart by their order", () => {
  assert.deepEqual(
    seenAs("buildfarm@2.15", () => ({ compressors: [1, 0] })),
    [],
  );
  assert.deepEqual(
    seenAs("buildbuddy@2022", () => ({ compressors: [0, 1], batchCompressors: [0, 1] })),
    ["buildbuddy@2023-05-29"],
  );
});

test("bazel-remote since 2.6 is known by what it announces of its new method", () => {
  assert.deepEqual(
    seenAs("bazel-remote@2.6", () => ({ splices: true })),
    ["bazel-remote@2.6"],
  );
  assert.deepEqual(
    seenAs("bazel-remote@2.6", () => ({ splits: true })),
    [],
  );
});

test("a method that answers, or does not, where the profile says otherwise rules it out", () => {
  const { signs } = seenOf(profiles.resolve("server", "buildbarn"));
  const others = signs.filter(({ ask }) => ask !== "empty-batch-read");
  assert.deepEqual(
    seenAs("buildbarn", () => ({}), [...others, sign("empty-batch-read", Status.UNIMPLEMENTED)]),
    [],
  );
  const fetched = signs.filter(({ ask }) => ask !== "fetch-without-uris");
  assert.deepEqual(
    seenAs("buildbarn", () => ({}), [...fetched, sign("fetch-without-uris", Status.NOT_FOUND)]),
    [],
  );
  assert.deepEqual(
    seenAs("buildbarn", () => ({}), fetched),
    ["buildbarn@2026-03-26"],
  );
});

test("a method that only configuration brings may answer or not", () => {
  const { signs } = seenOf(profiles.resolve("server", "bazel-remote"));
  const others = signs.filter(({ ask }) => ask !== "fetch-without-uris");
  for (const status of [Status.UNIMPLEMENTED, Status.INVALID_ARGUMENT]) {
    const names = seenAs("bazel-remote", () => ({}), [...others, sign("fetch-without-uris", status)]);
    assert.deepEqual(names, ["bazel-remote@2.5", "bazel-remote@2.6"]);
  }
});

test("who forwards the text of another is another by its window", () => {
  const { signs } = seenOf(profiles.resolve("server", "bb-clientd"));
  assert.deepEqual(
    seenAs("bb-clientd", ({ deprecated, low, high }) => ({ deprecated, low, high }), signs),
    ["bb-clientd@2025-11"],
  );
  // As the schedulers of Buildbarn announce, but with bb_clientd's lists: neither.
  const low = { major: 2, minor: 3, patch: 0, prerelease: "" };
  assert.deepEqual(
    seenAs("bb-clientd", () => ({ low }), signs),
    [],
  );
});

test("only what some profile would be told apart by is asked", () => {
  assert.deepEqual(tellingAsks(ProfileCatalogue.EMPTY), []);
  assert.deepEqual(tellingAsks(profiles), [...ASKS]);
  const one = ProfileCatalogue.EMPTY.with({
    role: "server",
    peer: "ours",
    title: "Ours",
    ranges: [
      {
        facts: {
          recognition: { signs: [{ ask: "health", status: "NOT_FOUND", text: "us" }], evidence: "seen" },
        } satisfies ResolvedServer["facts"],
      },
    ],
  });
  assert.deepEqual(tellingAsks(one), ["health"]);
  const seen = { ...NOTHING, signs: [sign("health", Status.NOT_FOUND, "it is us")] };
  assert.equal(recogniseServer(one, seen, null).candidates[0]?.name, "ours");
  const other = { ...NOTHING, signs: [sign("health", Status.NOT_FOUND, "somebody")] };
  assert.deepEqual(recogniseServer(one, other, null), { candidates: [], possible: [] });
});
