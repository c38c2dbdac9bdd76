/** The generator: what is committed is what it writes, and a plain clone can write it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const clone = mkdtempSync(join(tmpdir(), "generate-"));
after(() => rmSync(clone, { recursive: true }));

function generate(
  root: string,
  ...flags: string[]
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["scripts/generate.ts", ...flags], { cwd: root, encoding: "utf8" });
}

function files(root: string, folder: string): Map<string, string> {
  const names = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.sort().map((path) => [path.slice(root.length), readFileSync(path, "utf8")]));
}

describe("npm run generate", () => {
  it("finds nothing to change in the repository", () => {
    const { status, stderr } = generate(repository, "--check");
    assert.equal(stderr, "");
    assert.equal(status, 0);
  });

  it("writes every generated file from spec-data and packages alone", () => {
    for (const path of ["scripts", "spec-data", "package.json"]) {
      cpSync(join(repository, path), join(clone, path), { recursive: true });
    }
    symlinkSync(join(repository, "node_modules"), join(clone, "node_modules"));
    assert.equal(generate(clone).status, 0);
    for (const folder of ["/protos", "/src/spec/generated"]) {
      assert.deepEqual(files(clone, folder), files(repository.replace(/\/$/, ""), folder));
    }
  });

  it("--check names a file that was edited by hand, changes nothing and exits with 1", () => {
    const path = join(clone, "protos/v2.x/build/bazel/semver/semver.proto");
    writeFileSync(path, "edited");
    const { status, stderr } = generate(clone, "--check");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^protos\/v2\.x\/build\/bazel\/semver\/semver\.proto is not what .*npm run generate\n$/,
    );
    assert.equal(readFileSync(path, "utf8"), "edited");
  });

  it("repairs what was edited and removes what it does not write", () => {
    const stray = join(clone, "protos/v2.x/stray.proto");
    writeFileSync(stray, "");
    const { stdout } = generate(clone);
    assert.match(stdout, /wrote protos\/v2\.x\/build\/bazel\/semver\/semver\.proto\n/);
    assert.match(stdout, /removed protos\/v2\.x\/stray\.proto\n/);
    assert.equal(generate(clone, "--check").status, 0);
  });

  it("refuses a drift item that names an element which does not exist", () => {
    const path = join(clone, "spec-data/drift.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"Command.output_paths"', '"Command.output_path"'));
    const { status, stderr } = generate(clone, "--check");
    writeFileSync(path, text);
    assert.notEqual(status, 0);
    assert.match(stderr, /drift\.json: D24 names Command\.output_path, which does not exist/);
  });
});
