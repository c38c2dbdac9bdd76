import assert from "node:assert/strict";
import { test } from "node:test";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { client, plan, server } from "../support.ts";

const told = (as: "missing" | "text" | "not-found") =>
  server({ facts: { missingInputs: { as, evidence: "the test" } } });

test("given a server that tells missing blobs by text or by NOT_FOUND, then executions are looked at", () => {
  for (const as of ["text", "not-found"] as const)
    assert.notEqual(plan(client(), told(as)).methods.get(EXECUTE)?.engine ?? null, null);
});

test("given a server that names them, then nothing is done", () => {
  assert.equal(plan(client(), told("missing")).methods.get(EXECUTE), undefined);
  for (const level of ["2.0", "2.4"] as const)
    assert.equal(plan(client({ level }), server({ level })).methods.get(EXECUTE), undefined);
});

test("given a client that uses a later function without a word, then subjects are given the form that it reads", () => {
  const blake3 = client({ level: "2.4", digestFunctions: [9] });
  const namesAll = server({ digestFunctions: [1, 9] });
  assert.notEqual(plan(blake3, namesAll).methods.get(EXECUTE)?.engine ?? null, null);
  // One that names its functions reads them as well.
  const named = client({ level: "2.12", digestFunctions: [9] });
  assert.ok(!plan(named, namesAll).methods.get(EXECUTE)?.features.includes("missing-blobs"));
});
