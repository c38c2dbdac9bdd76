import assert from "node:assert/strict";
import { test } from "node:test";
import { announce, editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { EXECUTE, FIND_MISSING_BLOBS, READ } from "../../../src/translators/methods.ts";
import { Status } from "../../../src/wire/status.ts";
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

const evidence = "a test";
const git = client({
  level: "2.2",
  facts: { digestFunctions: { are: ["SHA256", "SHA1"], gitHashes: true, evidence } },
});
const NAME = `blobs/62${"ab".repeat(20)}/7`;

test("given names of git objects, when a server has none such, then every way to it is refused by their length", async () => {
  const { methods } = plan(git, server({ digestFunctions: [SHA256, SHA1] }));
  const digest = `0a 2a ${"61".repeat(42)} 10 01`;
  for (const [path, message, field] of [
    [FIND_MISSING_BLOBS, `12 2e ${digest}`, "blob_digests[].hash"],
    [EXECUTE, `32 2e ${digest}`, "action_digest.hash"],
    [READ, `0a ${NAME.length.toString(16)} ${Buffer.from(NAME).toString("hex")}`, "resource_name"],
  ] as const) {
    await assert.rejects(editRequest(methods.get(path)!, hex(message), call(path)), (error) => {
      assert.ok(error instanceof BridgeError);
      assert.deepEqual([error.status, error.facts.field], [Status.INVALID_ARGUMENT, field]);
      assert.match(error.message, /42 digits.* has SHA256, SHA1; have the client use SHA256/);
      return true;
    });
  }
});

test("given the same client, then plain hashes pass, and so does everything before a server of such names", async () => {
  const { methods } = plan(git, server({ digestFunctions: [SHA256, SHA1] }));
  const plain = hex(`12 44 0a 40 ${"61".repeat(64)} 10 01`);
  assert.equal(await editRequest(methods.get(FIND_MISSING_BLOBS)!, plain, call(FIND_MISSING_BLOBS)), plain);
  const own = plan(git, server({ level: "2.2", facts: { gitHashes: { is: true, evidence } } }));
  assert.ok(!own.methods.get(FIND_MISSING_BLOBS)?.features.includes("digest-functions"));
});

test("given a server whose SHA1 means names of git objects, then it is not announced to others", () => {
  const server2 = server({
    level: "2.2",
    digestFunctions: [SHA1, SHA256],
    facts: { gitHashes: { is: true, evidence } },
  });
  const both = hex("0a 04 0a 02 02 01");
  assert.deepEqual(announce(plan(client({ level: "2.2" }), server2), both), hex("0a 03 0a 01 01"));
  assert.equal(announce(plan(git, server2), both), both);
});

test("given a client that uses a function its revision does not have, then that one is announced to it", () => {
  const pair = plan(client({ level: "2.3", digestFunctions: [BLAKE3] }), server());
  assert.deepEqual(announce(pair, CAPABILITIES), hex("0a 08 0a 04 09 01 ac 02 20 0a"));
});

test("given a client that means BLAKE3 without a word, when the server has the first seven only, then hashes are refused", async () => {
  const { methods } = plan(client({ level: "2.4", digestFunctions: [BLAKE3] }), server({ level: "2.4" }));
  const of = (digits: number) =>
    hex(`12 ${(digits + 4).toString(16)} 0a ${digits.toString(16)} ${"61".repeat(digits)} 10 01`);
  const sent = (message: Buffer) =>
    editRequest(methods.get(FIND_MISSING_BLOBS)!, message, call(FIND_MISSING_BLOBS));
  await assert.rejects(sent(of(64)), /A hash of SHA256TREE or BLAKE3, which is not named,/);
  const sha1 = of(40);
  assert.equal(await sent(sha1), sha1);
});
