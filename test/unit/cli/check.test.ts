import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { run } from "../../../src/cli/run.ts";

const folder = mkdtempSync(join(tmpdir(), "check-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "bridge.yaml");

async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const code = await run(argv, {
    env: {},
    print: (text) => {
      said.out += text;
    },
    printError: (text) => {
      said.err += text;
    },
    stop: new AbortController().signal,
  });
  return { code, out: said.out.replaceAll(`${folder}/`, ""), err: said.err.replaceAll(`${folder}/`, "") };
}

function check(text: string, ...more: string[]) {
  writeFileSync(file, text);
  return cli("check", "--config", file, ...more);
}

test("the least there can be is shown and well", async () => {
  assert.deepEqual(await cli("check", "--upstream", "buildfarm:8980"), {
    code: 0,
    out: `\
listens on
  127.0.0.1:8985  plain
  127.0.0.1:9985  admin

upstreams
  default  buildfarm:8980  to be recognised

routes
  all services  all instances  → default

clients
  all listeners  all instances  told by each call

policy
  auto for all features

profiles
  18 servers and 12 clients are known

all is well
`,
    err: "",
  });
});

test("routes, profiles, clients and policy are shown as they are understood", async () => {
  copyFileSync("config/examples/profile.yaml", join(folder, "profile.yaml"));
  const { code, out } = await check(`
upstream: { address: "buildfarm:8980", profile: our-buildfarm }
profiles: profile.yaml
listen: ["127.0.0.1:8985", "0.0.0.0:8986"]
admin: off
workers: 2
clients: [{ listen: "0.0.0.0:8986", instance: ci, profile: buildstream@1.6 }]
client: { profile: bazel@4 }
upstreams: { cache: grpcs://cache, lab: embedded:2.3 }
routes:
  - { services: [google.bytestream.ByteStream, asset], instance: main, upstream: cache, rename: prod }
  - { instance: lab, upstream: lab, rename: "" }
policy: { hash-text: off, chunking: auto }
`);
  assert.equal(code, 0);
  assert.equal(
    out,
    `\
listens on
  127.0.0.1:8985  plain
  0.0.0.0:8986    plain
  2 threads

upstreams
  cache    grpcs://cache:443  to be recognised
  lab      embedded:2.3       to be recognised
  default  buildfarm:8980     Our Buildfarm (our-buildfarm)

routes
  asset, google.bytestream.ByteStream  main[/…]       → cache    as prod[/…]
  all services                         lab[/…]        → lab      without lab
  all services                         all instances  → default

clients
  0.0.0.0:8986   ci[/…]         BuildStream 1.2 to 1.6 (buildstream@1.6)
  all listeners  all instances  Bazel 4, from 4.1 (bazel@4)

policy
  hash-text   off
  all others  auto

profiles
  19 servers and 12 clients are known
  profile.yaml

all is well
`,
  );
});

test("all that is wrong is told, a line each, and the exit code is that of a wrong configuration", async () => {
  writeFileSync(join(folder, "bad.pem"), "no certificate");
  const { code, out, err } = await check(`
upstream: { address: grpcs://farm, ca: bad.pem, profile: buildbran }
tls: { cert: bad.pem, key: bad.pem }
client: { profile: basel }
policy: { hash-txt: off }
`);
  assert.deepEqual([code, out], [2, ""]);
  const lines = err.trimEnd().split("\n");
  assert.deepEqual(lines.slice(0, 3), [
    'reapi-bridge: bridge.yaml:5:21: policy.hash-txt: there is no feature called "hash-txt"; did you mean "hash-text"?',
    'reapi-bridge: bridge.yaml:2:58: upstream.profile: there is no profile of a server called "buildbran"; did you mean "buildbarn"?',
    'reapi-bridge: bridge.yaml:4:20: client.profile: there is no profile of a client called "basel"; did you mean "bazel"?',
  ]);
  assert.match(lines[3]!, /^reapi-bridge: cannot use the TLS files bad\.pem, bad\.pem: /);
});

test("a flag is named where a flag is wrong", async () => {
  const { code, err } = await cli("check", "--upstream", "x:1", "--client-profile", "basel");
  assert.equal(code, 2);
  assert.match(err, /^reapi-bridge: --client-profile: there is no profile of a client called "basel"/);
});

test("serve refuses the same in the same words", async () => {
  const text = "upstream: { address: x:1, profile: buildbran }\npolicy: { hash-txt: off }\nadmin: off\n";
  const checked = await check(text);
  const served = await cli("serve", "--config", file, "--listen", "127.0.0.1:0");
  assert.equal(checked.code, 2);
  assert.deepEqual(served, checked);
});
