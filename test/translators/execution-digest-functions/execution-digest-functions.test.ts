import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { GET_CAPABILITIES } from "../../../src/translators/methods.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server } from "../support.ts";

const SHA1 = 2;

// ServerCapabilities.execution_capabilities (2): digest_function (1) BLAKE3, exec_enabled (2), digest_functions (5) BLAKE3, SHA256.
const CAPABILITIES = hex("12 08 08 09 10 01 2a 02 09 01 2a 02 08 02");

const forOldClient = plan(client({ level: "2.3" }), server({ level: "2.7" }));

test("given a server that prefers BLAKE3, when an older client asks, then it sees the function it can use", () => {
  assert.equal(forOldClient.methods.get(GET_CAPABILITIES)?.lane, "local");
  assert.deepEqual(announce(forOldClient, CAPABILITIES), hex("12 08 08 01 10 01 2a 02 09 01 2a 02 08 02"));
});

test("given a list that is not packed, then it is read as well", () => {
  assert.deepEqual(
    announce(forOldClient, hex("12 08 08 09 10 01 28 09 28 01")),
    hex("12 08 08 01 10 01 28 09 28 01"),
  );
});

test("given a client that uses another function, then it sees that one, if the server has it", () => {
  const pair = plan(client({ level: "2.3", digestFunctions: [SHA1] }), server({ level: "2.7" }));
  assert.equal(announce(pair, CAPABILITIES), CAPABILITIES);
  const withSha1 = hex("12 07 08 09 2a 03 09 01 02");
  assert.deepEqual(announce(pair, withSha1), hex("12 07 08 02 2a 03 09 01 02"));
});

test("given a server without execution, or with one function, then the answer is the very same", () => {
  for (const capabilities of [hex("0a 02 20 01"), hex("12 02 08 09"), hex("")]) {
    assert.equal(announce(forOldClient, capabilities), capabilities);
  }
});

test("given a newer client, then it reads the list itself and the single function is left alone", () => {
  const pair = plan(client({ level: "2.7" }), server({ level: "2.6" }));
  assert.ok(!pair.methods.get(GET_CAPABILITIES)?.features.includes("execution-digest-functions"));
  assert.equal(announce(pair, CAPABILITIES), CAPABILITIES);
});
