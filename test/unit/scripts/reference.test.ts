import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { referenceFiles } from "../../../scripts/reference/files.ts";

for (const [path, text] of await referenceFiles()) {
  test(`${path} is what npm run generate:reference writes`, () => {
    assert.equal(readFileSync(path, "utf8"), text);
  });
}
