import assert from "node:assert/strict";
import { test } from "node:test";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { Status } from "../../../src/wire/status.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

const V1TEST = "/google.devtools.remoteexecution.v1test";

const unknown = plan(client({ level: null }), server());

async function refusal({ methods }: Plan, request: Buffer): Promise<BridgeError | null> {
  try {
    assert.equal(
      await editRequest({ ...methods.get(EXECUTE)!, requests: [] }, request, call(EXECUTE)),
      request,
    );
    return null;
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
}

test("given a client that calls version 1, then it is told which client to use", () => {
  for (const method of [
    "Execution/Execute",
    "ActionCache/GetActionResult",
    "ContentAddressableStorage/GetTree",
  ]) {
    const { lane, refusal: made } = unknown.methods.get(`${V1TEST}.${method}`)!;
    assert.equal(lane, "reject");
    const error = made!();
    assert.equal(error.status, Status.UNIMPLEMENTED);
    assert.match(error.message, /v1test was used, .* such as Bazel 0\.17 \[method-unsupported, D58\]$/);
  }
});

test("given an Action in place of its digest, then the client is told which one to use", async () => {
  // ExecuteRequest of June 2018: action (2), then execution_policy (6) with a priority (1), where action_digest is now.
  for (const request of ["12 00", "12 02 0a 00 32 02 08 01", "12 02 0a 00 32 00"]) {
    const error = await refusal(unknown, hex(request));
    assert.equal(error?.status, Status.INVALID_ARGUMENT);
    assert.equal(error.facts.field, "action_digest");
    assert.match(error.message, /Bazel 0\.17/);
  }
});

test("given a digest, then whatever else is in the request passes", async () => {
  for (const request of ["32 04 0a 02 61 62", "12 00 32 04 0a 02 61 62", "32 04 0a 02 61 62 12 00", ""]) {
    assert.equal(await refusal(unknown, hex(request)), null);
  }
});

test("given such a client, then Execute of every other stays in the relay lane", () => {
  assert.equal(unknown.methods.get(EXECUTE)?.scans.length ?? 0, 1 + otherScans());
});

/** Scans of Execute that a client of the newest level has with the same server. */
function otherScans(): number {
  return plan(client(), server()).methods.get(EXECUTE)?.scans.length ?? 0;
}

test("given a client that is known, then nothing is looked for", () => {
  assert.equal(plan(client({ level: "2018-11" }), server({ level: "2018-11" })).methods.size, 0);
});

test("given a server that has version 1, then its calls go to it", () => {
  const are = ["google.devtools.remoteexecution.v1test.Execution"];
  const old = server({ facts: { vendorServices: { are, evidence: "the test" } } });
  assert.equal(plan(client({ level: null }), old).methods.get(`${V1TEST}.Execution/Execute`), undefined);
});

test("given the Scoot of 2017, then a client of version 1 reaches it and one of version 2 is refused by name", () => {
  const scoot = resolveDialect(peerFacts(shippedProfiles().resolve("server", "scoot@2017-10")), TRANSLATORS);
  const { methods } = plan(client({ level: null }), scoot);
  assert.equal(methods.get(`${V1TEST}.Execution/Execute`), undefined);
  assert.equal(methods.get(EXECUTE)?.refusal?.().facts.code, "method-unsupported");
});
