import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import {
  BATCH_UPDATE_BLOBS,
  EXECUTE,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
} from "../../../src/translators/methods.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

const SHA256 = 1;
const SHA1 = 2;
const SHA256TREE = 8;
const BLAKE3 = 9;

/** `blob_digests` (2) or `action_digest` (2) with a SHA-256 hash of sixty-four "a" and a size of 1. */
const DIGEST = `12 44 0a 40 ${"61".repeat(64)} 10 01`;

async function sent(method: string, message: Buffer, offered: readonly number[]): Promise<Buffer> {
  const { methods } = plan(
    client({ forms: { "digest-function-field": { writes: ["unset"] } } }),
    server({ digestFunctions: offered }),
  );
  const found = methods.get(method);
  return found === undefined ? message : editRequest(found, message, call(method));
}

test("given a server with two functions of one length, when an older client asks, then the request says which one", async () => {
  assert.deepEqual(
    await sent(FIND_MISSING_BLOBS, hex(DIGEST), [SHA256, BLAKE3]),
    hex(`${DIGEST} 18 01`), // digest_function (3): SHA256
  );
});

test("given such a server, the field comes where its number belongs, in each request", async () => {
  assert.deepEqual(
    await sent(GET_ACTION_RESULT, hex(`${DIGEST} 18 01`), [SHA256, BLAKE3]),
    hex(`${DIGEST} 18 01 30 01`),
  );
  const execute = DIGEST.replace("12", "32");
  assert.deepEqual(
    await sent(EXECUTE, hex(`${execute} 62 01 61`), [SHA256, BLAKE3]), // inline_output_files (12) stays behind it
    hex(`${execute} 48 01 62 01 61`),
  );
  const entry = `12 46 ${DIGEST.replace("12", "0a")}`;
  assert.deepEqual(await sent(BATCH_UPDATE_BLOBS, hex(entry), [SHA256, BLAKE3]), hex(`${entry} 28 01`));
});

test("given a request that says it already, then it is left alone", async () => {
  const message = hex(`${DIGEST} 18 09`);
  assert.equal(await sent(FIND_MISSING_BLOBS, message, [SHA256, BLAKE3]), message);
});

test("given a field that is set to nothing, then it is there once", async () => {
  assert.deepEqual(
    await sent(FIND_MISSING_BLOBS, hex(`${DIGEST} 18 00`), [SHA256, BLAKE3]),
    hex(`${DIGEST} 18 01`),
  );
});

test("given a request without any digest, then there is nothing to go by", async () => {
  const probe = hex("0a 01 61");
  assert.equal(await sent(FIND_MISSING_BLOBS, probe, [SHA256, BLAKE3]), probe);
});

test("given a hash of a length the server has no implicit function for, then it is left to the server", async () => {
  const message = hex(DIGEST);
  assert.equal(await sent(FIND_MISSING_BLOBS, message, [BLAKE3, 8]), message);
});

test("given a server of BLAKE3 alone, or a client that uses BLAKE3 alone, then it can only be that", async () => {
  const named = hex(`${DIGEST} 18 09`);
  assert.deepEqual(await sent(FIND_MISSING_BLOBS, hex(DIGEST), [BLAKE3]), named);
  const between = async (uses: readonly number[], offered: readonly number[]) => {
    const { methods } = plan(
      client({ level: "2.4", digestFunctions: uses }),
      server({ digestFunctions: offered }),
    );
    return editRequest(methods.get(FIND_MISSING_BLOBS)!, hex(DIGEST), call(FIND_MISSING_BLOBS));
  };
  assert.deepEqual(await between([BLAKE3, SHA1], [SHA256, SHA1, BLAKE3]), named);
  assert.deepEqual(await between([SHA1, BLAKE3], [SHA256TREE, BLAKE3]), named);
  // One that may use either leaves it to the length, as the API says.
  assert.deepEqual(await between([SHA256, BLAKE3], [BLAKE3, SHA256]), hex(`${DIGEST} 18 01`));
  assert.deepEqual(await between([SHA256, BLAKE3], [BLAKE3]), named);
  // Without a later function of that length, the server takes every such hash for SHA-256.
  for (const [uses, offered] of [
    [[BLAKE3], [SHA256, SHA256TREE]],
    [[BLAKE3], [SHA256]],
    [[SHA256], [BLAKE3]],
  ] as const) {
    await assert.rejects(between(uses, offered), (error) => {
      assert.ok(error instanceof BridgeError);
      assert.equal(error.facts.code, "digest-function-unsupported");
      assert.equal(error.facts.field, "blob_digests[].hash");
      return true;
    });
  }
});

test("given a server whose functions differ in length, then nobody has to guess and the call is relayed", () => {
  const { methods } = plan(
    client({ level: "2.5" }),
    server({ level: "2.5", digestFunctions: [SHA256, SHA1] }),
  );
  assert.equal(methods.get(FIND_MISSING_BLOBS), undefined);
});

test("given an older server, when a newer client names one of the first seven, then the call is not held", async () => {
  const { methods } = plan(client({ level: "2.5" }), server({ level: "2.4" }));
  const method = methods.get(FIND_MISSING_BLOBS)!;
  assert.equal(method.lane, "relay");
  const message = hex(`${DIGEST} 18 01`);
  assert.equal(await editRequest(method, message, call(FIND_MISSING_BLOBS)), message);
});
