import assert from "node:assert/strict";
import { test } from "node:test";
import { editMetadata } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server } from "../support.ts";

const HEADER = "build.bazel.remote.execution.v2.requestmetadata-bin";

const base64 = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

// tool_details (1) with tool_name "bazel" and tool_version "0.20", action_id (2) "ab".
const METADATA = hex("0a 0d 0a 05 62 61 7a 65 6c 12 04 30 2e 32 30 12 02 61 62");
const ONCE = base64(METADATA);
const TWICE = base64(Buffer.from(METADATA.toString("base64")));
const OTHER = base64(hex("12 02 63 64"));

const entry = (value: string) => [HEADER, value] as const;
const AUTH = ["authorization", "Bearer x"] as const;
const AFTER = ["x-after", "1"] as const;

const oldToNew = plan(client({ level: "2018-11" }), server());
const single = server({ facts: { requestMetadata: { repeated: "refused", evidence: "a comment in Siso" } } });

test("given a client from before 2.0 that encodes by hand, when it calls a newer server, then that gets the message", () => {
  assert.deepEqual(editMetadata(oldToNew, [AUTH, entry(TWICE), AFTER]), [AUTH, entry(ONCE), AFTER]);
});

test("given a client of which nothing is known, then it is the same", () => {
  const unknown = plan(client({ level: null }), server({ level: null }));
  assert.deepEqual(editMetadata(unknown, [entry(TWICE)]), [entry(ONCE)]);
});

test("given a newer client, or a server as old, then values pass as they are", () => {
  const entries = [AUTH, entry(TWICE)];
  for (const pair of [
    plan(client({ level: "2.0" }), server()),
    plan(client(), server({ level: "2018-11" })),
    plan(client({ level: "2018-11" }), server({ level: "2018-11" })),
  ]) {
    assert.equal(editMetadata(pair, entries), entries);
    assert.ok(!pair.metadata.some(({ name }) => name === HEADER));
  }
});

test("given a value that is the message already, or nothing that can be read, then it passes as it is", () => {
  for (const value of [ONCE, "", base64(hex("0a ff")), base64(Buffer.from("not base64!")), "%%%"]) {
    const entries = [entry(value)];
    assert.equal(editMetadata(oldToNew, entries), entries, value);
  }
});

test("given fields of a draft, then they pass as they are, decoded with the rest where they were encoded twice", () => {
  // additional_handlers (8) of P06 is a message; attempt_number (8) of P21 is a varint.
  for (const draft of ["42 03 0a 01 62", "40 02"]) {
    const bytes = Buffer.concat([METADATA, hex(draft)]);
    const entries = [entry(base64(bytes))];
    assert.equal(editMetadata(oldToNew, entries), entries);
    assert.deepEqual(editMetadata(oldToNew, [entry(base64(Buffer.from(base64(bytes))))]), entries);
  }
});

test("given a server that refuses a second header, then equal ones go on as one, and others are refused by name", () => {
  const pair = plan(client(), single);
  assert.deepEqual(editMetadata(pair, [entry(ONCE), AUTH, entry(`${ONCE}==`)]), [entry(`${ONCE}==`), AUTH]);
  assert.deepEqual(editMetadata(pair, [entry(`${ONCE}, ${ONCE}`)]), [entry(ONCE)]);
  assert.throws(
    () => editMetadata(pair, [entry(ONCE), entry(OTHER)]),
    (error) => {
      assert.ok(error instanceof BridgeError);
      assert.equal(error.facts.code, "request-unsupported");
      assert.match(error.message, /takes the header only once/);
      return true;
    },
  );
});

test("given an old client and such a server, then the value is decoded before it is compared", () => {
  const pair = plan(client({ level: "2018-11" }), single);
  assert.deepEqual(editMetadata(pair, [entry(TWICE), entry(ONCE)]), [entry(ONCE)]);
});

test("given a server that takes several, then they all go on", () => {
  const entries = [entry(ONCE), entry(OTHER)];
  assert.equal(editMetadata(plan(client(), server()), entries), entries);
});

test("given the policy require, then what is no such message is left out, and all else passes", () => {
  const pair = plan(client(), server(), { "request-metadata": "require" });
  for (const odd of [base64(hex("0a ff")), "%%%"])
    assert.deepEqual(editMetadata(pair, [AUTH, entry(odd), AFTER]), [AUTH, AFTER]);
  const entries = [AUTH, entry(ONCE)];
  assert.equal(editMetadata(pair, entries), entries);
});

test("given a call without the header, then nothing is added", () => {
  const entries = [AUTH];
  assert.equal(editMetadata(oldToNew, entries), entries);
});

test("a second time changes nothing, and no call leaves the relay lane for it", () => {
  const edited = editMetadata(oldToNew, [entry(TWICE)]);
  assert.equal(editMetadata(oldToNew, edited), edited);
  for (const level of LEVELS) {
    const { methods } = plan(client({ level }), server({ level }));
    assert.equal(methods.size, 0, level);
  }
});
