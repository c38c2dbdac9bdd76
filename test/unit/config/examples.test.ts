import assert from "node:assert/strict";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { readProfile, shippedProfiles } from "../../../src/peers/read-profile.ts";
import { readSettings } from "../../../src/plan/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "examples-"));
after(() => rmSync(folder, { recursive: true }));

// The certificates an example names are the reader's; here they only have to be there.
mkdirSync(join(folder, "certificates"));
for (const name of ["upstream-ca", "bridge", "bridge-key", "server", "server-key", "clients-ca"]) {
  writeFileSync(join(folder, "certificates", `${name}.pem`), "");
}

const examples = globSync("config/examples/*");
for (const example of examples) cpSync(example, join(folder, basename(example)));

/** Those that are no configurations; others name them. */
const PROFILE = "profile.yaml";
const TABLE = "platform-table.yaml";

test("there are examples", () => assert.ok(examples.length > 0));

for (const name of examples.map((path) => basename(path)).filter((one) => one !== PROFILE && one !== TABLE)) {
  test(`${name} loads, and every name in it is one`, () => {
    const flags = new Map([["config", [join(folder, name)]]]);
    readSettings(loadConfig({ flags, env: {}, terminal: false }));
  });
}

test(`${PROFILE} is a profile that extends a shipped one`, () => {
  const known = readProfile(join(folder, PROFILE), shippedProfiles());
  const { facts, features } = known.resolve("server", "our-buildfarm");
  assert.equal(facts.messageLimit?.is, 16 * 2 ** 20);
  assert.deepEqual(features["action-platform"]?.reads, ["action", "command"]);
  assert.equal(
    facts.sortedLists?.required,
    known.resolve("server", "buildfarm@2.15").facts.sortedLists?.required,
  );
});

test(`${TABLE} is a profile of a server with a table of platform properties`, () => {
  const known = readProfile(join(folder, TABLE), shippedProfiles());
  const { facts } = known.resolve("server", "our-buildbarn");
  const { evidence, ...table } = facts.platformTable!;
  assert.equal(evidence, "our workers");
  assert.deepEqual(Object.keys(table), ["refuse", "drop", "change", "add"]);
  assert.equal(facts.platformMatch?.by, "equal-sets");
});
