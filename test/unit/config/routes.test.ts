import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { SERVICE_GROUPS } from "../../../src/config/service-names.ts";
import { StartError } from "../../../src/config/start-error.ts";
import type { Config } from "../../../src/config/types.ts";
import { allMethods } from "../../../src/spec/methods.ts";

const folder = mkdtempSync(join(tmpdir(), "routes-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "bridge.yaml");

function load(text: string, flags: Record<string, string> = {}): Config {
  writeFileSync(file, text);
  const given = Object.entries({ ...flags, config: file }).map(([name, value]) => [name, [value]] as const);
  return loadConfig({ flags: new Map(given), env: {}, terminal: false });
}

/** The lines of the refusal, with the folder of the test and the name of the file taken out. */
function refusal(text: string, flags: Record<string, string> = {}): string[] {
  try {
    load(text, flags);
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    assert.equal(error.kind, "config");
    return error.message.replaceAll(`${file}:`, "").replaceAll(`${folder}/`, "").split("\n");
  }
  return assert.fail("it was taken");
}

const EXECUTION = "build.bazel.remote.execution.v2";

test("routes send services and instances to upstreams by name", () => {
  const config = load(`
upstream: farm:1
upstreams:
  cache: grpcs://cache
  lab: { address: embedded:2.3, profile: buildbarn@2026-03-26 }
routes:
  - { services: [cas, vendor.v1.Extra, ${EXECUTION}.ActionCache], upstream: cache }
  - { instance: team/lab, upstream: lab, rename: main }
  - { instance: team, upstream: default, rename: "" }
`);
  assert.deepEqual(config.routes, [
    {
      services: [
        `${EXECUTION}.ContentAddressableStorage`,
        "google.bytestream.ByteStream",
        "vendor.v1.Extra",
        `${EXECUTION}.ActionCache`,
      ],
      instance: "",
      upstream: "cache",
      rename: null,
    },
    { services: null, instance: "team/lab", upstream: "lab", rename: "main" },
    { services: null, instance: "team", upstream: "default", rename: "" },
  ]);
  assert.deepEqual(config.upstreams, {
    cache: {
      kind: "address",
      address: { kind: "tcp", host: "cache", port: 443 },
      display: "grpcs://cache:443",
      tls: {},
      authority: "upstream",
      profile: null,
    },
    lab: { kind: "embedded", level: "2.3", profile: "buildbarn@2026-03-26" },
  });
  assert.equal(config.upstream.kind === "address" && config.upstream.display, "farm:1");
  assert.equal(config.places["upstreams.lab.profile"], `${file}:5:42: upstreams.lab.profile`);
});

test("where a last route takes all, no further upstream is needed: it is the one of that route", () => {
  const { upstream, upstreams } = load("upstreams: { farm: farm:1 }\nroutes: [{ upstream: farm }]\n");
  assert.deepEqual({ farm: upstream }, upstreams);
  const renamed = load(
    'upstreams: { farm: farm:1 }\nroutes: [{ upstream: farm, instance: "", rename: main }]\n',
  );
  assert.deepEqual(renamed.routes, [{ services: null, instance: "", upstream: "farm", rename: "main" }]);
});

test("every call needs an upstream", () => {
  assert.deepEqual(refusal("upstreams: { a: a:1 }\nroutes: [{ services: [cas], upstream: a }]\n"), [
    "2:10: routes: calls that no route takes have no server; add a last route that has only an upstream, or upstream: HOST:PORT",
  ]);
  assert.deepEqual(
    refusal("upstream: { profile: buildbarn }\nupstreams: { a: a:1 }\nroutes: [{ upstream: a }]\n"),
    ["1:22: upstream.profile: means nothing without --upstream"],
  );
});

test("an upstream that gets no call is a mistake", () => {
  assert.deepEqual(
    refusal("upstream: x:1\nupstreams: { a: a:1, b: b:1 }\nroutes: [{ upstream: b, instance: i }]\n"),
    ["2:17: upstreams.a: no route leads there; add one or remove the upstream"],
  );
  assert.deepEqual(refusal("upstreams: { a: a:1 }\nroutes: [{ upstream: a }]\n", { upstream: "x:1" }), [
    "--upstream: gets no call, as the routes take all; remove it, or the route that takes all",
  ]);
});

test("names of upstreams that do not exist, or cannot, are told at their place", () => {
  const text =
    "upstream: x:1\nupstreams: { cache: a:1 }\nroutes:\n  - { upstream: cahce }\n  - { upstream: cache, instance: i }\n";
  assert.equal(
    refusal(text)[0],
    '4:17: routes.upstream: no upstream is called "cahce"; did you mean "cache"?',
  );
  assert.deepEqual(refusal("upstreams: { a: a:1 }\nroutes: [{ upstream: default }, { upstream: a }]\n"), [
    '2:22: routes.upstream: no upstream is called "default"; there are a',
    "2:33: routes: takes the same calls as route 1; remove one of them",
  ]);
  assert.deepEqual(refusal("upstream: x:1\nupstreams: { default: a:1, My_Farm: b:1 }\n"), [
    '2:14: upstreams: the name "default" is what routes call upstream',
    '2:28: upstreams: the name "My_Farm" must be lower case with hyphens',
  ]);
});

const HIDDEN: readonly (readonly [what: string, routes: string, problem: string | null])[] = [
  [
    "the same",
    "- { services: [action-cache, cas], upstream: a }\n- { services: [cas, action-cache], upstream: b }",
    "takes the same calls as route 1; remove one of them",
  ],
  [
    "all services before one",
    "- { instance: x, upstream: a }\n- { instance: x/y, services: [cas], upstream: b }",
    "never takes a call, as route 1 takes all of them; move it before or remove it",
  ],
  [
    "two that share what it would take",
    "- { services: [cas], upstream: a }\n- { services: [execution, asset], upstream: a }\n- { instance: x, services: [cas, asset], upstream: b }",
    "never takes a call, as route 1 and route 2 take all of them; move it before or remove it",
  ],
  [
    "some of its services",
    "- { services: [cas], upstream: a }\n- { services: [cas, asset], upstream: b }",
    null,
  ],
  ["half a segment", "- { instance: team, upstream: a }\n- { instance: teams, upstream: b }", null],
  ["one service before all", "- { services: [cas], upstream: a }\n- { instance: x, upstream: b }", null],
  ["the narrower first", "- { instance: x/y, upstream: a }\n- { instance: x, upstream: b }", null],
];

for (const [what, routes, problem] of HIDDEN) {
  test(`a route after ${what}${problem === null ? " is fine" : " is a mistake"}`, () => {
    const text = `upstream: x:1\nupstreams: { a: a:1, b: b:1 }\nroutes:\n${routes.replaceAll(/^/gm, "  ")}\n`;
    if (problem === null) assert.equal(load(text).routes.length, 2);
    else assert.equal(refusal(text)[0]?.replace(/^\d+:5: routes: /, ""), problem);
  });
}

test("wrong values in routes are told with their place", () => {
  const text = `
upstream: x:1
upstreams: { a: { address: "a", ca: none.pem } }
routes:
  - { upstream: a, services: [cass, capabilities, ${EXECUTION}.Exection, ci] }
  - { upstream: a, rename: x }
  - { upstream: a, instance: /x }
  - { upstream: a, instance: x/blobs/y }
`;
  assert.deepEqual(refusal(text), [
    '3:28: upstreams.a.address: names no port; write HOST:PORT (got "a")',
    '5:31: routes.services: must be one of cas, action-cache, execution, asset, log-stream, or the full name of a gRPC service (got "cass"); did you mean "cas"?',
    '5:37: routes.services: cannot be routed: the answers of all upstreams are merged (got "capabilities")',
    `5:51: routes.services: must be one of cas, action-cache, execution, asset, log-stream, or the full name of a gRPC service (got "${EXECUTION}.Exection"); did you mean "Execution"?`,
    '5:93: routes.services: must be one of cas, action-cache, execution, asset, log-stream, or the full name of a gRPC service (got "ci")',
    '6:28: routes.rename: needs the instance that it replaces; instance: "" is every one',
    '7:30: routes.instance: must be segments with one slash between them: team/main (got "/x")',
    '8:30: routes.instance: has the segment "blobs", which the API reserves (got "x/blobs/y")',
  ]);
});

test("unknown and missing keys of sections are told with their place", () => {
  const text = `
upstream: x:1
upstreams: { a: { adress: a:1 } }
routes: [{ servces: [cas] }]
clients: [{ instance: 5, profile: bazel }]
policy: { hash-text: requre }
`;
  assert.deepEqual(refusal(text).sort(), [
    '3:19: upstreams.a: unknown key "adress"; did you mean "address"?',
    '4:10: routes: lacks the key "upstream"',
    '4:12: routes: unknown key "servces"; did you mean "services"?',
    "5:23: clients.instance: must be string (got 5)",
    '6:22: policy.hash-text: must be one of auto, off, require (got "requre"); did you mean "require"?',
  ]);
  assert.deepEqual(
    refusal("upstream: x:1\nupstreams: { a: { profile: kajiya } }\nroutes: [{ upstream: a, instance: i }]\n"),
    ['2:17: upstreams.a: lacks the key "address"'],
  );
});

test("an upstream by name has the same rules as the other", () => {
  writeFileSync(join(folder, "ca.pem"), "");
  const routes = "routes: [{ upstream: a }]\n";
  assert.deepEqual(refusal(`upstreams: { a: { address: a:1, ca: ca.pem, key: no.pem } }\n${routes}`), [
    "1:37: upstreams.a.ca: means nothing without TLS; write address grpcs://HOST:PORT",
    "1:50: upstreams.a.key: means nothing without TLS; write address grpcs://HOST:PORT",
    "1:50: upstreams.a.key: needs cert as well",
    "1:50: upstreams.a.key: cannot read no.pem (ENOENT)",
  ]);
  const { a } = load(
    `upstreams: { a: { address: grpcs://a, ca: ca.pem, authority: client } }\n${routes}`,
  ).upstreams;
  assert.deepEqual(a?.kind === "address" && [a.tls, a.authority], [{ ca: join(folder, "ca.pem") }, "client"]);
});

test("rules tell clients apart by listener and instance", () => {
  const text =
    "upstream: x:1\nlisten: [h:1, h:2]\nclient: { profile: bazel }\nclients:\n  - { listen: h:2, instance: ci, profile: buck2 }\n  - { listen: h:2, profile: siso@2025 }\n";
  const config = load(text);
  assert.deepEqual(config.clients, [
    { listen: { kind: "tcp", host: "h", port: 2 }, instance: "ci", profile: "buck2" },
    { listen: { kind: "tcp", host: "h", port: 2 }, instance: "", profile: "siso@2025" },
  ]);
  assert.equal(config.clientProfile, "bazel");
  assert.equal(config.places["client.profile"], `${file}:3:20: client.profile`);
  assert.equal(load(text, { "client-profile": "goma" }).places["client.profile"], "--client-profile");
});

test("a rule for clients that never matches is a mistake", () => {
  const head = "upstream: x:1\nlisten: [h:1, h:2]\nclients:\n";
  assert.deepEqual(
    refusal(
      `${head}  - { instance: ci, profile: buck2 }\n  - { listen: h:1, instance: ci/x, profile: siso }\n  - { listen: h:3, profile: Siso }\n`,
    ),
    [
      '6:29: clients.profile: must be the name of a profile, such as buildbarn or buildbarn@2026-03-26 (got "Siso")',
    ],
  );
  assert.deepEqual(
    refusal(
      `${head}  - { instance: ci, profile: buck2 }\n  - { listen: h:1, instance: ci/x, profile: siso }\n  - { listen: h:3, profile: siso }\n`,
    ),
    [
      "5:5: clients: never matches, as rule 1 takes all its calls; move it before or remove it",
      '6:15: clients.listen: nothing listens on h:3; did you mean "h:1"?',
    ],
  );
});

test("short names stand for every service of the API but Capabilities", () => {
  const services = [...new Set([...allMethods()].map(({ path }) => path.split("/")[1]))];
  assert.deepEqual(
    Object.values(SERVICE_GROUPS).flat().sort(),
    services.filter((name) => name !== `${EXECUTION}.Capabilities`).sort(),
  );
});

test("a configuration with everything in it can go to another thread", () => {
  const flags = new Map([["config", ["config/examples/routes.yaml"]]]);
  const config = loadConfig({ flags, env: {}, terminal: false });
  assert.deepEqual(structuredClone(config), config);
});
