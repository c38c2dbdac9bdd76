import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { StartError } from "../../../src/config/start-error.ts";
import type { Config } from "../../../src/config/types.ts";

const folder = mkdtempSync(join(tmpdir(), "config-"));
after(() => rmSync(folder, { recursive: true }));

interface Given {
  flags?: Record<string, string | string[]>;
  env?: Record<string, string>;
  file?: string;
  terminal?: boolean;
}

const file = join(folder, "bridge.yaml");

function load({ flags = {}, env = {}, file: text, terminal = false }: Given): Config {
  const given = Object.entries(flags).map(([name, v]): [string, string[]] => [name, [v].flat()]);
  if (text !== undefined) {
    writeFileSync(file, text);
    given.push(["config", [file]]);
  }
  return loadConfig({ flags: new Map(given), env, terminal });
}

/** The lines of the refusal, with the folder of the test taken out. */
function refusal(given: Given): string[] {
  try {
    load(given);
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    assert.equal(error.kind, "config");
    return error.message.replaceAll(`${folder}/`, "").split("\n");
  }
  return assert.fail("it was taken");
}

test("the upstream is all that has to be said", () => {
  assert.deepEqual(load({ flags: { upstream: "buildfarm:8980" } }), {
    listen: [{ kind: "tcp", host: "127.0.0.1", port: 8985 }],
    upstream: {
      kind: "address",
      address: { kind: "tcp", host: "buildfarm", port: 8980 },
      display: "buildfarm:8980",
      tls: null,
      authority: "upstream",
      profile: null,
    },
    upstreams: {},
    routes: [],
    clients: [],
    clientProfile: null,
    profiles: [],
    policy: {},
    places: {},
    httpUpstream: null,
    tls: null,
    admin: { kind: "tcp", host: "127.0.0.1", port: 9985 },
    workers: 1,
    limits: {
      bufferBudgetBytes: 256 * 2 ** 20,
      maxMessageBytes: 64 * 2 ** 20,
      maxHeaderListBytes: 128 * 1024,
      maxStreamsPerConnection: 10_000,
    },
    timeouts: { connectMs: 5000, idleMs: 3_600_000, upstreamPingMs: 0 },
    drain: { minMs: 0, maxMs: 30_000 },
    log: { level: "info", pretty: false },
    readPath: "auto",
  });
});

test("without an upstream the message shows how to name one", () => {
  assert.match(refusal({})[0]!, /reapi-bridge --upstream buildfarm:8980/);
});

test("a flag wins over a variable, a variable over the file, the file over the default", () => {
  const text = "upstream: from-file:1\nworkers: 2\ndrain: { max: 2s }\nlog: { level: warn }\n";
  const env = { REAPI_BRIDGE_WORKERS: "3", REAPI_BRIDGE_DRAIN_MAX: "3s" };
  const config = load({ file: text, env, flags: { "drain-max": "4s" } });
  assert.equal(config.upstream.kind === "address" && config.upstream.display, "from-file:1");
  assert.deepEqual(
    [config.log.level, config.workers, config.drain.maxMs, config.drain.minMs],
    ["warn", 3, 4000, 0],
  );
});

test("a list comes from one source as a whole; a variable separates with commas", () => {
  const text = "upstream: h:1\nlisten: [a:1, b:2]\n";
  const hosts = (given: Given) => load(given).listen.map((a) => a.kind === "tcp" && a.host);
  assert.deepEqual(hosts({ file: text }), ["a", "b"]);
  assert.deepEqual(hosts({ file: text, env: { REAPI_BRIDGE_LISTEN: "c:1, d:2" } }), ["c", "d"]);
  assert.deepEqual(hosts({ file: text, flags: { listen: ["e:1", "f:1"] } }), ["e", "f"]);
  assert.deepEqual(hosts({ file: "upstream: h:1\nlisten: g:1\n" }), ["g"]);
});

test("an empty variable counts as not set", () => {
  assert.equal(load({ flags: { upstream: "h:1" }, env: { REAPI_BRIDGE_WORKERS: "" } }).workers, 1);
});

test("the file can be named by a variable", () => {
  writeFileSync(file, "upstream: h:1\nworkers: 7\n");
  assert.equal(load({ env: { REAPI_BRIDGE_CONFIG: file } }).workers, 7);
});

test("a misspelt variable is an error, what Kubernetes sets is not", () => {
  const flags = { upstream: "h:1" };
  assert.deepEqual(refusal({ flags, env: { REAPI_BRIDGE_WORKRS: "3" } }), [
    'REAPI_BRIDGE_WORKRS: there is no such variable; did you mean "REAPI_BRIDGE_WORKERS"?',
  ]);
  const env = {
    REAPI_BRIDGE_SERVICE_HOST: "10.0.0.1",
    REAPI_BRIDGE_SERVICE_PORT_GRPC: "8985",
    REAPI_BRIDGE_PORT: "tcp://10.0.0.1:8985",
    REAPI_BRIDGE_PORT_8985_TCP_ADDR: "10.0.0.1",
    REAPI_BRIDGE_ADMIN_PORT_9985_TCP: "tcp://10.0.0.1:9985",
  };
  assert.equal(load({ flags, env }).workers, 1);
});

test("all wrong values are told at once, each with its source", () => {
  const given = { flags: { upstream: "h", workers: "0" }, env: { REAPI_BRIDGE_DRAIN_MAX: "3" } };
  assert.deepEqual(refusal(given), [
    '--upstream: names no port; write HOST:PORT (got "h")',
    '--workers: must be a whole number from 1 to 256 (got "0")',
    'REAPI_BRIDGE_DRAIN_MAX: must be a time from 0s to 24h, such as 30s (got "3")',
  ]);
});

test("the file may give the upstream alone or with what belongs to it", () => {
  const config = load({
    file: "upstream:\n  address: grpcs://h\n  serverName: other\n  authority: client\n",
  });
  assert.deepEqual(config.upstream, {
    kind: "address",
    address: { kind: "tcp", host: "h", port: 443 },
    display: "grpcs://h:443",
    tls: { serverName: "other" },
    authority: "client",
    profile: null,
  });
});

test("JSON with tabs is a file like any other", () => {
  assert.equal(load({ file: '{\n\t"upstream": "h:1",\n\t"admin": "off"\n}\n' }).admin, null);
});

test("a key without values is the same as none", () => {
  assert.equal(load({ file: "upstream: h:1\ntls:\n  # cert: a.pem\ndrain:\n" }).tls, null);
});

test("unknown keys are told with line, column and what was probably meant", () => {
  assert.deepEqual(
    refusal({ file: "upstream: h:1\nlistne: x:1\nlimits:\n  maxMessageSiz: 1KiB\n  zzz: 1\n" }),
    [
      'bridge.yaml:2:1: unknown key "listne"; did you mean "listen"?',
      'bridge.yaml:4:3: limits: unknown key "maxMessageSiz"; did you mean "maxMessageSize"?',
      'bridge.yaml:5:3: limits: unknown key "zzz"; known here are bufferBudget, maxMessageSize, maxHeaderListSize, maxStreamsPerConnection',
    ],
  );
});

test("wrong types and values in the file are told with line and column", () => {
  const text =
    "upstream: h:1\nlimits: { bufferBudget: 64MB }\nworkers: many\ndrain: [1]\ntls: 5\nlog: { level: inof }\nlisten: []\n";
  assert.deepEqual(refusal({ file: text }).sort(), [
    'bridge.yaml:2:25: limits.bufferBudget: must be a size from 16MiB to 1024GiB, such as 64MiB (got "64MB")',
    'bridge.yaml:3:10: workers: must be a whole number from 1 to 256 (got "many")',
    "bridge.yaml:4:8: drain: must hold keys, such as min (got [1])",
    "bridge.yaml:5:6: tls: must hold keys, such as cert (got 5)",
    'bridge.yaml:6:15: log.level: must be one of trace, debug, info, warn, error, silent (got "inof"); did you mean "info"?',
    "bridge.yaml:7:9: listen: must name at least one",
  ]);
});

test("each item of a list has its own line", () => {
  assert.deepEqual(refusal({ file: "upstream: h:1\nlisten:\n  - a:1\n  - ::1:2\n" }), [
    'bridge.yaml:4:5: listen: needs brackets around an IPv6 address: [::1]:8980 (got "::1:2")',
  ]);
});

for (const [what, text, expected] of [
  ["broken JSON", '{\n  "upstream": "h:1"\n  "admin": "off"\n}', /^bridge\.yaml:3:3: /],
  ["a key twice", "upstream: a:1\nupstream: b:1\n", /^bridge\.yaml:2:1: .*unique/],
  ["a list", "- a\n", /^bridge\.yaml:1:1: must hold keys, such as upstream \(got \["a"\]\)/],
  ["a word", "hello\n", /^bridge\.yaml:1:1: must hold keys/],
] as const) {
  test(`${what} is refused`, () => assert.match(refusal({ file: text })[0]!, expected));
}

test("a file that is not UTF-8, not there, or a folder is named with the reason", () => {
  const other = join(folder, "latin1.yaml");
  writeFileSync(other, Buffer.from([0x61, 0xe4]));
  const told = (path: string) => refusal({ flags: { config: path } })[0];
  assert.equal(told(other), "cannot read the configuration file latin1.yaml: it is not UTF-8 text");
  assert.equal(
    told(`${folder}/none.yaml`),
    "cannot read the configuration file none.yaml: there is no such file",
  );
  assert.match(told(folder)!, /it is a folder$/);
});

test("what belongs together is checked together", () => {
  const pem = join(folder, "a.pem");
  writeFileSync(pem, "");
  const upstream = "h:1";
  assert.deepEqual(refusal({ flags: { upstream, "upstream-ca": pem } }), [
    "--upstream-ca: means nothing without TLS; write --upstream grpcs://HOST:PORT",
  ]);
  assert.deepEqual(refusal({ flags: { upstream, "tls-cert": pem } }), [
    "--tls-cert: needs --tls-key as well",
  ]);
  assert.deepEqual(refusal({ flags: { upstream, "tls-client-ca": pem } }), [
    "--tls-client-ca: needs --tls-cert as well",
  ]);
  assert.deepEqual(refusal({ flags: { upstream: "grpcs://h", "upstream-key": pem } }), [
    "--upstream-key: needs --upstream-cert as well",
  ]);
  assert.deepEqual(refusal({ flags: { upstream, "drain-min": "31s" } }), [
    "--drain-min: is longer than --drain-max (30s)",
  ]);
  assert.match(
    refusal({ flags: { upstream, "max-message-size": "1GiB" } })[0]!,
    /^--max-message-size: is more than/,
  );
  assert.deepEqual(refusal({ flags: { upstream, listen: ["a:1", "a:1"] } }), ["--listen: names a:1 twice"]);
  assert.match(
    refusal({ flags: { upstream, listen: "127.0.0.1:9985" } })[0]!,
    /is also where clients connect/,
  );
});

test("certificates named in the file are found beside it, and missing ones are told before anything starts", () => {
  writeFileSync(join(folder, "cert.pem"), "");
  const text = "upstream: h:1\ntls:\n  cert: cert.pem\n  key: missing.pem\n";
  assert.deepEqual(refusal({ file: text }), ["bridge.yaml:4:8: tls.key: cannot read missing.pem (ENOENT)"]);
  writeFileSync(join(folder, "missing.pem"), "");
  assert.deepEqual(load({ file: text }).tls, {
    cert: join(folder, "cert.pem"),
    key: join(folder, "missing.pem"),
  });
  rmSync(join(folder, "missing.pem"));
});

test("the log is for people on a terminal, unless told otherwise", () => {
  const flags = { upstream: "h:1" };
  const pretty = (env: Record<string, string>, terminal: boolean) =>
    load({ flags, env, terminal }).log.pretty;
  assert.deepEqual([pretty({}, true), pretty({}, false)], [true, false]);
  assert.equal(pretty({ REAPI_BRIDGE_LOG_FORMAT: "json" }, true), false);
  assert.equal(pretty({ REAPI_BRIDGE_LOG_FORMAT: "pretty" }, false), true);
});

test("the snapshot cannot be changed", () => {
  const config = load({ flags: { upstream: "h:1" } });
  assert.throws(() => Object.assign(config.limits, { bufferBudgetBytes: 1 }), TypeError);
});
