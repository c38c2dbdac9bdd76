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

test("the demo builds everything twice, and shows what passes, is translated and refused across levels", async (t) => {
  // Nobody's proxy and nobody's settings of the bridge get in the way.
  const env = { http_proxy: "http://127.0.0.1:9", REAPI_BRIDGE_UPSTREAM: "127.0.0.1:9" };
  const { code, stdout, stderr, left } = await demo(t, env);
  assert.equal(stderr, "");
  assert.equal(code, 0, stdout);
  const [build = "", newer = "", older = "", ...others] = stdout.split(/^A client of .*$/m);
  assert.deepEqual(others, []);
  for (const name of TARGETS) {
    assert.match(build, new RegExp(`^ +${name} +ran, \\d+ ms +from the cache, \\d+ ms `, "m"));
  }
  assert.match(build, /6 of 6 actions ran in .*, the second time 0 of 6 actions ran in /);
  assert.deepEqual(callsOf(build, "Execution.Execute"), ["6", "–"]);
  assert.deepEqual(callsOf(build, "ActionCache.GetActionResult"), ["6", "6"]);
  assert.deepEqual(callsOf(build, "ByteStream.Write"), ["1", "–"]);
  assert.deepEqual(callsOf(build, "ByteStream.Read"), ["1", "1"]);
  assert.match(build, /bytes from the client +\d\.\d MB +\d\.\d kB/);
  assert.match(build, /All 8 files are right, to the byte, and the second build ran nothing\./);
  assert.match(newer, /^ +an output file, in output_paths +LOST +translated +output-paths$/m);
  assert.match(newer, /^ +a symlink among the outputs +LOST +translated +output-symlinks$/m);
  assert.match(newer, /^ +an upload that is compressed +fails +translated +compressed-blobs$/m);
  assert.match(newer, /explain --client 2\.12 --server 2\.0$/m);
  assert.match(older, /^ +an output directory +passes +passes$/m);
  assert.doesNotMatch(older, /refused|LOST|fails$/m);
  assert.match(older, /^All of it came as planned, in \d/m);
  const widest = Math.max(...stdout.split("\n").map((line) => [...line].length));
  assert(widest <= 100, `a line has ${widest} characters`);
  assert.deepEqual(left, []);
});

test("a build that fails makes the demo fail, with the reason and without a trace", async (t) => {
  const { code, stdout, stderr, left } = await demo(t, { PATH: "/nonexistent" });
  assert.equal(code, 1);
  assert.match(stdout, /^The demo failed: \/\/\w+:\w+ ended with exit code \d+: .*not found/m);
  assert.doesNotMatch(stdout, /All \d+ files are right|as planned/);
  assert.equal(stderr, "");
  assert.deepEqual(left, []);
});
