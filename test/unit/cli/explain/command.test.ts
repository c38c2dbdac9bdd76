import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { explained as explain } from "../../../support/explained.ts";
import { freePort } from "../../../support/free-port.ts";

test("it says who they are, the versions, what happens and why, and how it ends", async () => {
  const { code, out, err } = await explain("--client", "buck2", "--server", "buildbarn@2026-03-26");
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /^Client {2}Buck2 \(profile buck2; level 2\.4\)$/m);
  assert.match(out, /^Server {2}Buildbarn from 2026-03-26 \(profile buildbarn@2026-03-26; level 2\.12\)$/m);
  assert.match(out, /the server states 2\.3 to 2\.12, deprecated from 2\.2; the client is told the same/);
  assert.match(out, /^ {2}action-platform +command +→ +action +translated +reads$/m);
  assert.match(out, /client: profile buck2: Command only \(buck2#1366, #1477\)/);
  assert.match(out, /server: profile buildbarn@2026-03-26: e6ab874/);
  assert.match(out, /^Buck2 goes on\b/m);
});

test("it fits a terminal and has no colours where it is none", async () => {
  const { out } = await explain("--client", "bazel@6.2", "--server", "buildbarn", "--all");
  for (const line of out.split("\n")) assert.ok(line.length <= 120, line);
  assert.ok(!out.includes("\x1b"));
});

test("only what happens is shown, unless all is asked for", async () => {
  const some = await explain("--client", "bazel@9", "--server", "buildbarn@2026-03-26");
  assert.ok(!some.out.includes("get-tree"), "Bazel does not call it");
  assert.ok(!some.out.includes("What is the same"));
  const all = await explain("--client", "bazel@9", "--server", "buildbarn@2026-03-26", "--all");
  assert.match(all.out, /^ {2}get-tree +offered +→ +absent +translated +opened$/m);
  assert.match(all.out, /^What is the same$/m);
  assert.match(all.out, /^ {2}output-paths +paths +→ +paths +the same +none$/m);
});

test("a client that stops is told why and what to do", async () => {
  const { code, out } = await explain("--client", "buildstream", "--server", "buildbarn@2026-03-26");
  assert.equal(code, 0);
  assert.match(out, /^BuildStream .* cannot do without Fetch\/FetchBlob/m);
  assert.match(out, /- use a server that has it, or another client/);
});

/** Every key of a value, as `rows[].evidence.client`. */
function keysOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysOf(item, `${path}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, of]) => {
    const here = path === "" ? key : `${path}.${key}`;
    return [here, ...keysOf(of, here)];
  });
}

test("the JSON has the documented keys, and only those", async () => {
  const { code, out } = await explain("--client", "please", "--server", "buildfarm@2.17", "--json");
  assert.equal(code, 0);
  const value = JSON.parse(out);
  assert.deepEqual(Object.keys(value), ["client", "server", "versions", "rows", "methods", "outcome"]);
  assert.deepEqual(value.versions.told, { deprecated: null, low: "2.0", high: "2.11" });
  const page = readFileSync("docs/explain.md", "utf8");
  for (const key of new Set(keysOf(value))) {
    const [, name] = /(?:^|\.)(\w+)(?:\[\])?$/.exec(key) ?? [];
    assert.match(page, new RegExp(`\`(?:\\w+(?:\\[\\])?\\.)*${name}(?:\\[\\])?\``), key);
  }
});

test("JSON has all rows only if asked", async () => {
  const rows = async (...more: string[]) => {
    const { out } = await explain("--client", "2.0", "--server", "2.3", "--json", ...more);
    return JSON.parse(out).rows as { verdict: string }[];
  };
  assert.ok((await rows()).every(({ verdict }) => verdict !== "native"));
  assert.ok((await rows("--all")).some(({ verdict }) => verdict === "native"));
});

/** Command lines that cannot be, and what is said of them. */
const WRONG: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [["--server", "buildbarn"], /--client: is needed/],
  [["--client", "bazle", "--server", "buildbarn"], /--client: there is no profile .* did you mean "bazel"/],
  [
    ["--client", "bazel", "--server", "buildbran"],
    /--server: there is no profile .* did you mean "buildbarn"/,
  ],
  [["--client", "bazel@0.1", "--server", "buildbarn"], /--client: no range of bazel holds "0\.1"/],
  [
    ["--client", "2.99", "--server", "buildbarn"],
    /--client: unknown API level "2\.99"; the levels are 2018-11, /,
  ],
  [["--client", "bazel", "--server", "http://x:1"], /--server: starts with http:\/\//],
  [["--client", "bazel", "--server", "buildbarn", "--config", "/does/not/exist"], /\/does\/not\/exist/],
  [["--client", "bazel"], /--server: is needed, as in --server buildbarn@2026-03-26/],
  [["--client", "bazel", "--config", "/does/not/exist"], /\/does\/not\/exist/],
];

for (const [args, says] of WRONG) {
  test(`explain ${args.join(" ")} is wrong, and says so`, async () => {
    const { code, out, err } = await explain(...args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, says);
  });
}

test("a server that does not answer ends with the code of upstreams, and a way on", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const { code, out, err } = await explain("--client", "bazel", "--server", address);
  assert.deepEqual([code, out], [4, ""]);
  assert.match(err, /127\.0\.0\.1:\d+ cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:\d+\)\. Name/);
  assert.match(err, /--server buildfarm@2\.15/);
});
