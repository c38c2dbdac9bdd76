import assert from "node:assert/strict";
import { test } from "node:test";
import { offeredFunctions } from "../../../src/embedded/offered-functions.ts";

test("a level offers the functions of its schema that can be computed, SHA256 first", () => {
  const names = (level: Parameters<typeof offeredFunctions>[0]) =>
    offeredFunctions(level).map(({ name }) => name);
  assert.deepEqual(names("2018-11"), ["SHA256", "SHA1", "MD5"]);
  assert.deepEqual(names("2.0"), ["SHA256", "SHA1", "MD5", "SHA384", "SHA512"]);
  assert.deepEqual(names("2.5"), ["SHA256", "SHA1", "MD5", "SHA384", "SHA512", "SHA256TREE"]);
  assert.deepEqual(names("2.8"), [...names("2.5"), "BLAKE3"]);
  assert.deepEqual(names("2.12"), [...names("2.5"), "BLAKE3", "GITSHA1"]);
});
