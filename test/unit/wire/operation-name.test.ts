import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tagOperation, untagOperation } from "../../../src/wire/operation-name.ts";

test("a name comes back as it was, with what it carries", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, route) => {
      assert.deepEqual(untagOperation(tagOperation(name, { route })), { name, tag: { route } });
    }),
  );
});

test("names of others are left alone", () => {
  const foreign = ["", "operations/1", "a/rb1/", "a/rb1/e30", "a/rb1/bm90IGpzb24", "a/rb1/bnVsbA", "rb1/e30"];
  for (const name of foreign) assert.deepEqual(untagOperation(name), { name, tag: null }, name);
});

test("what a later version adds to a tag does no harm", () => {
  const tag = { route: "farm", action: "abc" };
  const name = tagOperation("operations/1", tag);
  assert.deepEqual(untagOperation(name), { name: "operations/1", tag });
});

test("a tag of absurd length is none", () => {
  const name = `a/rb1/${"A".repeat(5000)}`;
  assert.deepEqual(untagOperation(name), { name, tag: null });
});
