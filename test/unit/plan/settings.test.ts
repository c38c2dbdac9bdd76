import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { StartError } from "../../../src/config/start-error.ts";
import type { Config } from "../../../src/config/types.ts";
import { createBridge } from "../../../src/index.ts";
import { readSettings } from "../../../src/plan/settings.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import type { Translator } from "../../../src/translators/translator.ts";
import { configFor } from "../../support/bridge.ts";

const folder = mkdtempSync(join(tmpdir(), "settings-"));
after(() => rmSync(folder, { recursive: true }));

function profileFile(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const FARM = profileFile(
  "farm.yaml",
  "role: server\npeer: our-farm\ntitle: Our Farm\nextends: buildfarm@2.15\nranges:\n  - facts: { messageLimit: { is: 5, evidence: tried } }\n",
);
const BASE = configFor("127.0.0.1:1");
const UPSTREAM = BASE.upstream;

function problems(parts: Partial<Config>, translators: readonly Translator[] = TRANSLATORS): string[] {
  try {
    readSettings({ ...BASE, ...parts }, translators);
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    assert.equal(error.kind, "config");
    return error.message.replaceAll(`${folder}/`, "").split("\n");
  }
  return assert.fail("it was taken");
}

test("where nothing is said, one upstream that nobody knows takes all calls of clients that nobody knows", () => {
  const { catalogue, ...settings } = readSettings(BASE);
  assert.deepEqual(settings, {
    policy: {},
    servers: new Map([["default", null]]),
    routes: [{ services: null, instance: "", upstream: "default", rename: null }],
    clients: [],
  });
  assert.equal(catalogue.resolve("server", "buildbarn").peer, "buildbarn");
});

test("names are looked up in the shipped profiles and the operator's", () => {
  const route = { services: ["google.bytestream.ByteStream"], instance: "", upstream: "farm", rename: null };
  const settings = readSettings({
    ...BASE,
    profiles: [FARM],
    upstream: { ...UPSTREAM, profile: "bb-storage@2024" },
    upstreams: { farm: { ...UPSTREAM, profile: "our-farm" } },
    routes: [route],
    clients: [{ listen: null, instance: "ci", profile: "bazel@7" }],
    clientProfile: "buck2",
    policy: { "hash-text": "off" },
  });
  const { servers, clients, routes, policy } = settings;
  assert.equal(servers.get("default")?.name, "buildbarn@2025-07-14");
  assert.equal(servers.get("farm")?.facts.messageLimit?.is, 5);
  assert.deepEqual(
    clients.map(({ listen, instance, profile }) => [listen, instance, profile.peer]),
    [
      [null, "ci", "bazel"],
      [null, "", "buck2"],
    ],
  );
  assert.deepEqual(
    routes.map(({ upstream }) => upstream),
    ["farm", "default"],
  );
  assert.deepEqual(policy, { "hash-text": "off" });
});

test("an upstream that no call can get to is none", () => {
  const routes = [{ services: null, instance: "", upstream: "farm", rename: "main" }];
  const settings = readSettings({ ...BASE, upstreams: { farm: UPSTREAM }, routes });
  assert.deepEqual([...settings.servers.keys()], ["farm"]);
  assert.deepEqual(settings.routes, routes);
});

test("all names that do not exist are told, each with its place and what was probably meant", () => {
  const said = problems({
    upstream: { ...UPSTREAM, profile: "buildbern" },
    upstreams: { a: { ...UPSTREAM, profile: "buildfarm@0.9" } },
    clients: [{ listen: null, instance: "x", profile: "bazl" }],
    clientProfile: "buildbarn",
    policy: { "hash-txt": "off", "output-paths": "require", chunking: "on" },
    places: { "upstream.profile": "--upstream-profile", "policy.chunking": "f:1:2: policy.chunking" },
  });
  assert.deepEqual(said.map((line) => line.replace(/(there are|known are) .*/, "$1 …")).sort(), [
    '--upstream-profile: there is no profile of a server called "buildbern"; did you mean "buildbarn"?',
    'client.profile: there is no profile of a client called "buildbarn"; known are …',
    'clients.0.profile: there is no profile of a client called "bazl"; did you mean "bazel"?',
    'f:1:2: policy.chunking: the policy of chunking is "on"; it must be auto, off, require',
    'policy.hash-txt: there is no feature called "hash-txt"; did you mean "hash-text"?',
    'upstreams.a.profile: no range of buildfarm holds "0.9"; there are …',
  ]);
});

test("a server that is to be played has to have a profile", () => {
  const embedded = (server: string) => ({ kind: "embedded", server, profile: null }) as const;
  readSettings({ ...BASE, upstream: embedded("buildbarn@2026-03-26") });
  const said = problems({
    upstream: embedded("buildbern"),
    upstreams: { a: embedded("2,3") },
    places: { "upstream.address": "--upstream" },
  });
  assert.deepEqual(
    said.map((line) => line.replace(/known are .* \(/, "known are … (")),
    [
      '--upstream: embedded:buildbern: there is no profile of a server called "buildbern"; did you mean "buildbarn"? (levels are written as in embedded:2.3)',
      'upstreams.a.address: embedded:2,3: there is no profile of a server called "2,3"; known are … (levels are written as in embedded:2.3)',
    ],
  );
});

test("a profile that cannot be used is told with its place, together with what else is wrong", () => {
  const broken = profileFile("broken.yaml", "role: server\npeer: our-farm\ntitle: Ours\nrangs: []\n");
  assert.deepEqual(problems({ profiles: [broken], policy: { "hash-txt": "off" } }), [
    'policy.hash-txt: there is no feature called "hash-txt"; did you mean "hash-text"?',
    'broken.yaml:1:1: lacks the key "ranges"',
    'broken.yaml:4:1: unknown key "rangs"; did you mean "ranges"?',
  ]);
  assert.deepEqual(problems({ profiles: [FARM, FARM] }), [
    "farm.yaml:2:7: there is already a server called our-farm",
  ]);
  assert.deepEqual(problems({ profiles: [join(folder, "none.yaml")] }), [
    "cannot read the profile none.yaml: there is no such file",
  ]);
});

test("a claim of the operator's profile about a feature that does not exist is refused", () => {
  const others = TRANSLATORS.filter(({ feature }) => feature.id !== "output-paths");
  const [said = ""] = problems({ profiles: [FARM] }, others);
  assert.match(said, /^profiles: profile .*there is no feature called output-paths/);
});

for (const workers of [1, 2]) {
  test(`a bridge with ${workers} of its threads does not start with a name that does not exist`, async () => {
    const upstream = { ...UPSTREAM, profile: "buildbern" };
    await assert.rejects(createBridge({ config: { ...BASE, upstream, workers } }), {
      name: "StartError",
      message: /upstream\.profile: there is no profile of a server called "buildbern"/,
    });
  });
}
