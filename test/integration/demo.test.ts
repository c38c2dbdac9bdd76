import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

const TARGETS = [
  "//phrases:english",
  "//phrases:french",
  "//phrases:german",
  "//tools:binder",
  "//book:pages",
  "//book:book",
];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was left in the directory for temporary files. */
  readonly left: string[];
}

/** Runs the demo as a user does, with a directory of its own for temporary files. */
async function demo(t: TestContext, env: NodeJS.ProcessEnv): Promise<Ended> {
  const TMPDIR = await mkdtemp(join(tmpdir(), "demo-test-"));
  t.after(() => rm(TMPDIR, { recursive: true }));
  const { promise, resolve } = Promise.withResolvers<Omit<Ended, "left">>();
  const options = { env: { ...process.env, ...env, TMPDIR } };
  execFile(process.execPath, ["src/cli/main.ts", "demo"], options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return { ...(await promise), left: await readdir(TMPDIR) };
}

/** The counts of a line of the table of calls: first and second build, `–` being none. */
function callsOf(stdout: string, method: string): [string | undefined, string | undefined] {
  const line = stdout.split("\n").find((each) => each.trimStart().startsWith(`${method} `));
  const [, first, second] = line?.trim().split(/\s+/) ?? [];
  return [first, second];
}

test("the demo builds everything, builds it again from the cache, and tells what travelled", async (t) => {
  // Nobody's proxy and nobody's settings of the bridge get in the way.
  const env = { http_proxy: "http://127.0.0.1:9", REAPI_BRIDGE_UPSTREAM: "127.0.0.1:9" };
  const { code, stdout, stderr, left } = await demo(t, env);
  assert.equal(stderr, "");
  assert.equal(code, 0, stdout);
  const [first = "", second = "", travelled = ""] = stdout.split(/^(?:First|Second|What).*$/m).slice(1);
  for (const name of TARGETS) {
    assert.match(first, new RegExp(`^ +${name} +ran `, "m"));
    assert.match(second, new RegExp(`^ +${name} +cache hit `, "m"));
  }
  assert.match(first, /6 of 6 actions ran/);
  assert.match(second, /0 of 6 actions ran/);
  assert.deepEqual(callsOf(travelled, "Execution.Execute"), ["6", "–"]);
  assert.deepEqual(callsOf(travelled, "ActionCache.GetActionResult"), ["6", "6"]);
  assert.deepEqual(callsOf(travelled, "ByteStream.Write"), ["1", "–"]);
  assert.deepEqual(callsOf(travelled, "ByteStream.Read"), ["1", "1"]);
  assert.match(travelled, /bytes from the client +\d\.\d MB +\d\.\d kB/);
  assert.match(travelled, /All 8 files are right, to the byte, and the second build ran nothing\./);
  assert.deepEqual(left, []);
});

test("a build that fails makes the demo fail, with the reason and without a trace", async (t) => {
  const { code, stdout, stderr, left } = await demo(t, { PATH: "/nonexistent" });
  assert.equal(code, 1);
  assert.match(stdout, /^The demo failed: \/\/\w+:\w+ ended with exit code \d+: .*not found/m);
  assert.doesNotMatch(stdout, /All \d+ files are right/);
  assert.equal(stderr, "");
  assert.deepEqual(left, []);
});
