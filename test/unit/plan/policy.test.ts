import assert from "node:assert/strict";
import { test } from "node:test";
import { readPolicy } from "../../../src/plan/policy.ts";
import { EXECUTE, FIND_MISSING_BLOBS, SPLIT_BLOB } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { client, plan, server } from "../../translators/support.ts";

const CHUNKS = { chunking: { reads: ["whole"], writes: ["whole"] } };

test("a policy names features and what is wanted of them", () => {
  const given = { "hash-text": "off", "output-paths": "require" };
  assert.deepEqual(readPolicy(given, TRANSLATORS), given);
});

test("a misspelt feature is named, with the one that may have been meant", () => {
  assert.throws(() => readPolicy({ "output-path": "off" }, TRANSLATORS), {
    message: 'there is no feature called "output-path"; did you mean "output-paths"?',
  });
});

test("another value is named, with those there are", () => {
  assert.throws(() => readPolicy({ "hash-text": "on" }, TRANSLATORS), {
    message: 'the policy of hash-text is "on"; it must be auto, off, require',
  });
});

test("off lets pass what would be refused", () => {
  const to = server({ forms: CHUNKS });
  assert.equal(plan(client(), to).methods.get(SPLIT_BLOB)?.lane, "reject");
  const off = plan(client(), to, { chunking: "off" });
  assert.equal(off.methods.get(SPLIT_BLOB), undefined);
  const decision = off.decisions.find(({ feature, from }) => feature === "chunking" && from === "chunks");
  assert.equal(decision?.verdict, "off");
});

test("off lets pass what would be translated", () => {
  const to = server({ digestFunctions: [1, 9] });
  assert.equal(plan(client(), to).methods.get(FIND_MISSING_BLOBS)?.lane, "translate");
  assert.equal(
    plan(client(), to, { "digest-function-field": "off" }).methods.get(FIND_MISSING_BLOBS),
    undefined,
  );
  assert.equal(plan(client(), to, { "digest-function-field": "off" }).methods.get(EXECUTE), undefined);
});
