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
