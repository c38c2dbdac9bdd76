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

test("what a name says of its execution comes back", () => {
  const execution = {
    action: { hash: "ab".repeat(32), sizeBytes: 7 },
    digestFunction: 9,
    instance: "a/b",
    plan: "x",
    nonce: Buffer.from("once"),
    executionPolicy: Buffer.from([8, 1]),
    resultsPolicy: Buffer.alloc(0),
  };
  const tag = { route: "farm", execution };
  assert.deepEqual(untagOperation(tagOperation("operations/1", tag)), { name: "operations/1", tag });
});

test("policies too long for a name are left out", () => {
  const execution = {
    action: { hash: "ab".repeat(32), sizeBytes: 7 },
    digestFunction: 0,
    instance: "",
    plan: "x",
  };
  const name = tagOperation("n", { execution: { ...execution, executionPolicy: Buffer.alloc(65) } });
  assert.deepEqual(untagOperation(name).tag, { execution });
});

test("a tag that is none in some part is none", () => {
  const name = (tag: object) => `n/rb1/${Buffer.from(JSON.stringify(tag)).toString("base64url")}`;
  const a = `${"ab".repeat(32)}/7`;
  for (const tag of [
    {},
    { route: 1 },
    { a: 1 },
    { a: "no digest", p: "" },
    { a },
    { a, p: "", f: "x" },
    { a, p: "", i: 3 },
  ])
    assert.deepEqual(untagOperation(name(tag)), { name: name(tag), tag: null }, JSON.stringify(tag));
});

test("what a later version adds to a tag does no harm", () => {
  const text = Buffer.from(JSON.stringify({ route: "farm", later: 1 })).toString("base64url");
  assert.deepEqual(untagOperation(`n/rb1/${text}`), { name: "n", tag: { route: "farm" } });
});

test("a tag of absurd length is none", () => {
  const name = `a/rb1/${"A".repeat(5000)}`;
  assert.deepEqual(untagOperation(name), { name, tag: null });
});
