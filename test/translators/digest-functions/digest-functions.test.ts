import assert from "node:assert/strict";
import { test } from "node:test";
import { announce, editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { EXECUTE, FIND_MISSING_BLOBS, READ } from "../../../src/translators/methods.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

const SHA256 = 1;
const SHA1 = 2;
const BLAKE3 = 9;

const ASKS_BLAKE3 = hex("18 09"); // FindMissingBlobsRequest.digest_function (3)

// ServerCapabilities.cache_capabilities (1): digest_functions (1) BLAKE3, SHA256, SHA256TREE and an unknown one of two bytes; field 4.
const CAPABILITIES = hex("0a 09 0a 05 09 01 08 ac 02 20 0a");

test("given a server from before 2.5, when a client names BLAKE3, then it is told what the server has", async () => {
  const { methods } = plan(client(), server({ level: "2.4", digestFunctions: [SHA256, SHA1] }));
  const method = methods.get(FIND_MISSING_BLOBS)!;
  assert.equal(method.lane, "relay");
  await assert.rejects(editRequest(method, ASKS_BLAKE3, call(FIND_MISSING_BLOBS)), (error) => {
    assert.ok(error instanceof BridgeError);
    assert.equal(
      error.message,
      'A digest function beyond the first seven (API 2.5) was used, but the upstream "the server" speaks 2.4 and has SHA256, SHA1; ' +
        "start the client with a digest function that the upstream has [digest-function-unsupported, D09]",
    );
    return true;
  });
});

test("given such a server, when a client names one of the first seven, then it is served", async () => {
  const { methods } = plan(client(), server({ level: "2.4" }));
  const message = hex("18 01");
  assert.equal(
    await editRequest(methods.get(FIND_MISSING_BLOBS)!, message, call(FIND_MISSING_BLOBS)),
    message,
  );
});

test("given a server that has BLAKE3 whatever its version, then nothing is refused", () => {
  const { methods } = plan(client(), server({ level: "2.3", digestFunctions: [SHA256, BLAKE3] }));
  for (const path of [FIND_MISSING_BLOBS, EXECUTE, READ]) {
    assert.ok(!methods.get(path)?.features.includes("digest-functions"), path);
  }
});

test("given an older client, then functions it cannot know are not announced to it, and all else is as it was", () => {
  const pair = plan(client({ level: "2.3" }), server());
  assert.deepEqual(announce(pair, CAPABILITIES), hex("0a 07 0a 03 01 ac 02 20 0a"));
  // The same, not packed.
  assert.deepEqual(announce(pair, hex("0a 06 08 09 08 01 20 0a")), hex("0a 04 08 01 20 0a"));
});

test("given nothing to hide, then the answer is the very same", () => {
  const pair = plan(client({ level: "2.3" }), server());
  const plain = hex("0a 05 0a 01 01 20 0a");
  assert.equal(announce(pair, plain), plain);
});
