import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { COMMAND_NAMES, loadCommand } from "../../../src/cli/commands.ts";
import { ALL_OPTIONS, variableOf } from "../../../src/config/options.ts";

// What the pages for users name has to exist.

const PAGES = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md")];
const commands = await Promise.all(COMMAND_NAMES.map(loadCommand));
const flags = new Set(commands.flatMap((command) => command!.flags.map(({ name }) => name)));
const variables = new Set(["REAPI_BRIDGE_CONFIG", ...ALL_OPTIONS.map(variableOf)]);

/** `npm run bench` writes it. */
const WRITTEN_BY_BENCH = /benchmarks\.md$/;

/** Flags of other programs that the pages show. */
const OF_OTHERS = [
  "help",
  "version",
  "global",
  "prefix",
  "pack",
  "target",
  "cases",
  "seed",
  "quick",
  "actions",
  "transfers",
  "loads",
  "check",
];
const OTHERS = /^(?:remote_|e2e)/;

for (const page of PAGES) {
  const text = readFileSync(page, "utf8");

  test(`${page}: flags and variables exist`, () => {
    const named = [...text.matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].map(([, name]) => name!);
    const unknown = named.filter(
      (name) => !flags.has(name) && !OF_OTHERS.includes(name) && !OTHERS.test(name),
    );
    assert.deepEqual(unknown, []);
    const environment = [...text.matchAll(/REAPI_BRIDGE_[A-Z_]+/g)].map(([name]) => name);
    assert.deepEqual(
      environment.filter((name) => !variables.has(name)),
      [],
    );
  });

  test(`${page}: keys of the file exist`, () => {
    const named = [...text.matchAll(/`((?:limits|timeouts|drain|log|tls)\.\w+)`/g)].map(([, key]) => key!);
    const keys = ALL_OPTIONS.map(({ key }) => key);
    assert.deepEqual(
      named.filter((key) => !keys.includes(key)),
      [],
    );
  });

  test(`${page}: links lead somewhere`, () => {
    const targets = [...text.matchAll(/\]\(([^)#:]+)(?:#[\w-]*)?\)/g)].map(([, path]) => path!);
    assert.deepEqual(
      targets.filter((path) => !existsSync(join(dirname(page), path)) && !WRITTEN_BY_BENCH.test(path)),
      [],
    );
  });
}
