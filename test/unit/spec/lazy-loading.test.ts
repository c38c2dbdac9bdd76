import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const SPEC = new URL("../../../src/spec/", import.meta.url).href;

/** Runs a module in a process of its own and returns what it prints. */
function run(source: string): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

const LOADED = `
  import { createRequire } from "node:module";
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes("protobufjs"));
`;

test("importing the whole of spec/ does not load protobufjs; the first codec does", () => {
  const output = run(`${LOADED}
    for (const file of ["any", "codec", "ledger", "methods", "versions"]) await import("${SPEC}" + file + ".ts");
    const { codec } = await import("${SPEC}codec.ts");
    const before = loaded();
    codec();
    console.log(before, loaded());
  `);
  assert.equal(output, "false true");
});
