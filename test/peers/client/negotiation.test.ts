import assert from "node:assert/strict";
import { test } from "node:test";
import type { Api } from "../../../src/client/api.ts";
import { CallError } from "../../../src/embedded/call-error.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import { Status } from "../../../src/wire/status.ts";
import { type Configuration, judge } from "./judge.ts";
import { CAPABILITIES, done, line, scripted, V2 } from "./support.ts";

// What played clients decide at the start.

test("a client that holds to 2.0 turns down a window without it and says so, before it sends anything else", async (t) => {
  const lowApiVersion = { major: 2, minor: 3 };
  const highApiVersion = { major: 2, minor: 11 };
  for (const [name, title] of [
    ["bazel@6.2", "Bazel 6.0 to 6.2"],
    ["please", "Please from 17"],
  ] as const) {
    const script = {
      "Capabilities/GetCapabilities": () => ({ ...CAPABILITIES, lowApiVersion, highApiVersion }),
    };
    const { client, asked } = await scripted(t, script, { as: line(name) });
    const { verdict, why, negotiated } = await client.negotiate();
    assert.deepEqual([verdict, negotiated], ["refuses", null]);
    assert.equal(why, `${title} speaks API 2.0, and the server supports 2.3 to 2.11`);
    const { deadly, report } = await client.build("file");
    assert.equal(deadly, why);
    assert.equal(report, null);
    assert.deepEqual(
      asked.map(({ method }) => method),
      ["Capabilities/GetCapabilities"],
    );
  }
});

type Capabilities = Draft<Api<"ServerCapabilities">>;

/** What a client makes of capabilities that differ from those of a complete server. */
function judged(name: string, change: Capabilities, configuration: Configuration = {}) {
  const said = codec().create(`${V2}.ServerCapabilities`, { ...CAPABILITIES, ...change });
  const { verdict, why, compressor } = judge(line(name), said, configuration);
  return { verdict, why, compressor };
}

const version = (minor: number) => ({ major: 2, minor });
const cache = (change: Capabilities["cacheCapabilities"]) => ({
  cacheCapabilities: { ...CAPABILITIES.cacheCapabilities, ...change },
});
const execution = (change: Capabilities["executionCapabilities"]) => ({
  executionCapabilities: { ...CAPABILITIES.executionCapabilities, ...change },
});

const DECISIONS: readonly [name: string, change: Capabilities, verdict: string, why: RegExp][] = [
  ["bazel@7", {}, "goes-on", /goes on with API 2\.0$/],
  ["bazel@9.3", {}, "goes-on", /goes on with API 2\.11$/],
  [
    "bazel@7",
    { deprecatedApiVersion: version(0), lowApiVersion: version(1) },
    "warns",
    /^Bazel 7 warns: .*2\.1 to 2\.12, and from 2\.0 on as deprecated$/,
  ],
  ["please", { deprecatedApiVersion: version(0), lowApiVersion: version(1) }, "refuses", /speaks API 2\.0/],
  ["bazel@7", { highApiVersion: null }, "refuses", /the server states no version/],
  ["buck2", { lowApiVersion: null, highApiVersion: null }, "goes-on", /any version/],
  ["bazel@7", cache({ digestFunctions: [9] }), "refuses", /uses SHA256.*it has BLAKE3$/],
  ["bazel@7", execution({ digestFunctions: [9] }), "refuses", /the server executes with BLAKE3$/],
  [
    "reclient",
    execution({ digestFunction: 0, digestFunctions: [] }),
    "refuses",
    /no function that it names$/,
  ],
  ["buck2", execution({ digestFunction: 0, digestFunctions: [] }), "goes-on", /any version/],
  ["bazel@7", execution({ execEnabled: false }), "refuses", /executes, and the server does not$/],
  ["moon", { executionCapabilities: null }, "goes-on", /any version/],
  ["moon", { cacheCapabilities: null }, "refuses", /needs the cache part/],
  ["please", { executionCapabilities: null }, "refuses", /needs the execution part/],
  ["bazel@5.4", cache({ actionCacheUpdateCapabilities: null }), "refuses", /writes to the action cache/],
  ["bazel@6.0", cache({ actionCacheUpdateCapabilities: null }), "goes-on", /API 2\.0/],
];

test("a client decides by its rules and says why", () => {
  for (const [name, change, verdict, why] of DECISIONS) {
    const decision = judged(name, change);
    assert.equal(decision.verdict, verdict, `${name}: ${decision.why}`);
    assert.match(decision.why, why);
  }
});

test("a client that is used as a cache only does not ask for execution", () => {
  const { verdict } = judged("bazel@7", execution({ execEnabled: false }), { cacheOnly: true });
  assert.equal(verdict, "goes-on");
});

test("a client chooses its compressor: by its own order, the first one announced only, or not at all", () => {
  const [zstd, deflate, brotli] = [1, 2, 3];
  const cases: [string, number[], string | null][] = [
    ["buck2", [0, deflate, brotli], "BROTLI"],
    ["buck2", [0, brotli, zstd], "ZSTD"],
    ["siso", [0, deflate, zstd], null],
    ["siso", [0, zstd, deflate], "ZSTD"],
    ["moon", [0, zstd], "ZSTD"],
    ["pants", [0, zstd], null],
  ];
  for (const [name, supportedCompressors, expected] of cases) {
    const { compressor } = judged(name, cache({ supportedCompressors }), { compression: true });
    assert.equal(compressor, expected, `${name} of ${supportedCompressors}`);
  }
  const { verdict, why } = judged("bazel@5.0", cache({ supportedCompressors: [0] }), { compression: true });
  assert.equal(verdict, "refuses");
  assert.match(why, /compress with ZSTD, which the server does not announce$/);
  assert.equal(judged("bazel@5.0", cache({ supportedCompressors: [0, 1] })).compressor, null);
});

test("without an answer a client stops, or goes on by its defaults", async (t) => {
  const script = {
    "Capabilities/GetCapabilities": () => {
      throw new CallError(Status.UNIMPLEMENTED, "unknown service");
    },
  };
  const bazel = await (await scripted(t, script, { as: line("bazel@6.2") })).client.negotiate();
  assert.equal(bazel.verdict, "refuses");
  assert.match(bazel.why, /^Bazel 6\.0 to 6\.2 cannot start without .*12 UNIMPLEMENTED: unknown service$/);
  assert.equal(bazel.failure?.status, "UNIMPLEMENTED");
  const recc = await (await scripted(t, script, { as: line("recc") })).client.negotiate();
  assert.equal(recc.verdict, "goes-on");
  assert.match(recc.why, /^recc goes on by its defaults: /);
});

test("forms follow the announced version where the client has them follow it", async (t) => {
  const seen: Record<string, unknown> = {};
  for (const high of [0, 1, 2, 12]) {
    for (const name of ["reclient", "bazel@8.0", "pants@2.33"]) {
      const script = {
        "Capabilities/GetCapabilities": () => ({ ...CAPABILITIES, highApiVersion: version(high) }),
      };
      const { client } = await scripted(t, script, { as: line(name) });
      const { outputs, platform } = (await client.negotiate()).manner;
      seen[`${name} 2.${high}`] = `${outputs} ${platform}`;
    }
  }
  assert.deepEqual(seen, {
    "reclient 2.0": "lists command",
    "bazel@8.0 2.0": "lists both",
    "pants@2.33 2.0": "paths command",
    "reclient 2.1": "paths command",
    "bazel@8.0 2.1": "paths both",
    "pants@2.33 2.1": "paths command",
    "reclient 2.2": "paths both",
    "bazel@8.0 2.2": "paths both",
    "pants@2.33 2.2": "paths command",
    "reclient 2.12": "paths both",
    "bazel@8.0 2.12": "paths both",
    "pants@2.33 2.12": "paths command",
  });
});

test("a batch limit of 0 is no limit to most clients, and zero to the Go SDK", async (t) => {
  const limits: Record<string, number> = {};
  for (const name of ["reclient", "buck2", "bazel@6.2", "moon"]) {
    const { maxBatchTotalSizeBytes: _, ...unlimited } = CAPABILITIES.cacheCapabilities;
    const script = {
      "Capabilities/GetCapabilities": () => ({ ...CAPABILITIES, cacheCapabilities: unlimited }),
      "Execution/Execute": () => done({}),
    };
    const { client, asked } = await scripted(t, script, { as: line(name) });
    limits[name] = (await client.negotiate()).manner.batches.maxBytes;
    if (name !== "reclient") continue;
    assert.equal((await client.build("stdout")).deadly, null);
    const methods = new Set(asked.map(({ method }) => method));
    assert(methods.has("ByteStream/Write") && !methods.has("ContentAddressableStorage/BatchUpdateBlobs"));
  }
  assert.deepEqual(limits, { reclient: 0, buck2: 4_000_000, "bazel@6.2": 2_097_152, moon: 4_194_304 });
});
