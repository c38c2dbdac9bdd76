import assert from "node:assert/strict";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";

const folder = mkdtempSync(join(tmpdir(), "examples-"));
after(() => rmSync(folder, { recursive: true }));

// The certificates an example names are the reader's; here they only have to be there.
mkdirSync(join(folder, "certificates"));
for (const name of ["upstream-ca", "bridge", "bridge-key", "server", "server-key", "clients-ca"]) {
  writeFileSync(join(folder, "certificates", `${name}.pem`), "");
}

const examples = globSync("config/examples/*");

test("there are examples", () => assert.ok(examples.length > 0));

for (const example of examples) {
  test(`${example} loads`, () => {
    const copy = join(folder, basename(example));
    cpSync(example, copy);
    loadConfig({ flags: new Map([["config", [copy]]]), env: {}, terminal: false });
  });
}
