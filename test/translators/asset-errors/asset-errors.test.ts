import assert from "node:assert/strict";
import { test } from "node:test";
import { editResponse } from "../../../src/plan/run-hooks.ts";
import { FETCH_BLOB, FETCH_DIRECTORY } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

// FetchBlobResponse.status (1): code (1), message (2), a detail (3); uri (2).
const EXHAUSTED = hex("0a 0f 08 08 12 04 66 75 6c 6c 1a 05 0a 01 74 12 00 12 01 75");

const older = client({ level: "2.4" });
const required = plan(older, server(), { "asset-errors": "require" });

test("given a newer server, when its reply says RESOURCE_EXHAUSTED and the policy wants it, then the call ends so, with the details", async () => {
  for (const path of [FETCH_BLOB, FETCH_DIRECTORY]) {
    await assert.rejects(editResponse(required.methods.get(path)!, EXHAUSTED, call(path)), (error) => {
      assert.ok(error instanceof UpstreamError);
      assert.deepEqual([error.code, error.message], [Status.RESOURCE_EXHAUSTED, "full"]);
      assert.equal(error.details[0]?.typeUrl, "t");
      return true;
    });
  }
});

test("given any other reply, then it is the same buffer", async () => {
  for (const reply of [hex("0a 02 08 05"), hex("0a 00 12 01 75"), hex("12 01 75"), hex("")])
    assert.equal(await editResponse(required.methods.get(FETCH_BLOB)!, reply, call(FETCH_BLOB)), reply);
});

test("given no such policy, a newer client or an older server, then the call is relayed", () => {
  for (const pair of [
    plan(older, server()),
    plan(client(), server(), { "asset-errors": "require" }),
    plan(client(), server({ level: "2.4" }), { "asset-errors": "require" }),
  ])
    assert.ok(!pair.methods.get(FETCH_BLOB)?.features.includes("asset-errors"));
});
