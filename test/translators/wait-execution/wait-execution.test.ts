import assert from "node:assert/strict";
import { test } from "node:test";
import { CANCEL_OPERATION, EXECUTE, WAIT_EXECUTION } from "../../../src/translators/methods.ts";
import { client, plan, server } from "../support.ts";

const lacking = server({
  missingMethods: [WAIT_EXECUTION],
  forms: { "wait-execution": { reads: ["absent"], writes: ["absent"] } },
});

test("given a server without WaitExecution, then the bridge serves it, and names operations so that it can", () => {
  const { methods } = plan(client(), lacking);
  for (const path of [EXECUTE, WAIT_EXECUTION, CANCEL_OPERATION]) {
    assert.equal(methods.get(path)?.lane, "translate", path);
    assert.notEqual(methods.get(path)?.engine, null, path);
  }
});

test("given a client that never waits, then nothing is done but what it asks for is refused", () => {
  const never = client({ forms: { "wait-execution": { writes: ["absent"] } } });
  const { methods } = plan(never, lacking);
  assert.equal(methods.get(EXECUTE), undefined);
  assert.equal(methods.get(WAIT_EXECUTION)?.lane, "reject");
});

test("given a server that has it, then its calls are relayed, whatever the client is", () => {
  for (const level of ["2018-11", "2.0", "main"] as const)
    assert.equal(plan(client({ level }), server({ level })).methods.get(WAIT_EXECUTION), undefined);
});
