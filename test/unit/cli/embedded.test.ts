import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { run } from "../../../src/cli/run.ts";

/** Runs `embedded` with these arguments until it has said that it listens, or has ended. */
async function embedded(
  t: TestContext,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const stop = new AbortController();
  t.after(() => stop.abort());
  let [out, err] = ["", ""];
  const code = await run(["embedded", ...args], {
    env: {},
    print(text) {
      out += text;
      if (text.includes("no sandbox")) stop.abort();
    },
    printError(text) {
      err += text;
    },
    stop: stop.signal,
  });
  return { code, out, err };
}

async function temporary(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "embedded-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

const ANY_PORT = ["--listen", "127.0.0.1:0"];

test("it says where it listens, what it plays and keeps, and that it is no sandbox", async (t) => {
  const { code, out } = await embedded(t, ...ANY_PORT);
  assert.equal(code, 0);
  assert.match(out, /API level main listens on 127\.0\.0\.1:[1-9]\d*, keeping all in memory\n.*no sandbox/);
  const dir = await temporary(t);
  const older = await embedded(t, "--listen", `unix:${dir}/s`, "--level", "2018-11", "--dir", dir);
  assert.ok(older.out.includes(`level 2018-11 listens on unix:${dir}/s, keeping ${dir}\n`), older.out);
});

test("it plays a server by its profile, a shipped one or one of the operator's", async (t) => {
  const shipped = await embedded(t, ...ANY_PORT, "--as", "buildfarm@2.15");
  assert.equal(shipped.code, 0, shipped.err);
  assert.match(shipped.out, /server playing Buildfarm 2\.12 to 2\.15 listens on 127\.0\.0\.1:[1-9]/);
  const file = join(await temporary(t), "ours.yaml");
  const lines = ["role: server", "peer: ours", "title: Ours", "extends: buildfarm@2.15", "ranges: [{}]"];
  await writeFile(file, lines.join("\n"));
  const setup = ["--instance", "main", "--platform", "OSFamily=plan9", "--optional"];
  const own = await embedded(t, ...ANY_PORT, "--profile", file, "--as", "ours", ...setup);
  assert.equal(own.code, 0, own.err);
  assert.match(own.out, /server playing Ours listens on/);
});

test("its help warns before it shows the flags", async (t) => {
  const { code, out } = await embedded(t, "--help");
  assert.equal(code, 0);
  assert.match(
    out,
    /IT IS NO SANDBOX: it runs the commands that clients send with the rights of whoever started it/,
  );
  for (const flag of ["--level", "--listen", "--dir", "--memory"]) assert.ok(out.includes(flag));
});

test("what cannot be is refused with what would be right", async (t) => {
  const file = join(await temporary(t), "file");
  await writeFile(file, "");
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  for (const [args, message, code] of [
    [["--level", "2.13"], /--level: must be one of 2018-11, 2\.0.*"2\.13".*did you mean/, 2],
    [["--as", "buildbran@2026"], /--as: .*"buildbran"; did you mean "buildbarn"/, 2],
    [["--as", "buildbarn@2012"], /--as: no range of buildbarn holds "2012"; there are 2019-02-06 to/, 2],
    [["--as", "buildbarn", "--level", "2.0"], /--as and --level exclude each other/, 2],
    [["--instance", "main"], /--instance means nothing without --as/, 2],
    [["--as", "buildbarn", "--platform", "linux"], /--platform: must be NAME=VALUE \(got "linux"\)/, 2],
    [["--as", "buildbarn", "--profile", file], /file/, 2],
    [["--dir", "x", "--memory"], /--dir and --memory exclude each other/, 2],
    [["--listen", "nowhere"], /--listen: names no port/, 2],
    [[...ANY_PORT, "--dir", file], /--dir: the directory cannot be used: .*ENOTDIR|EEXIST/, 2],
    [["--listen", `127.0.0.1:${port}`], /--listen: cannot listen on 127\.0\.0\.1:\d+: .*in use/, 3],
  ] as const) {
    const result = await embedded(t, ...args);
    assert.match(result.err, message);
    assert.equal(result.code, code, result.err);
  }
});
