import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server } from "../support.ts";

// CacheCapabilities: a batch limit (4), supported_compressors (6) and supported_batch_update_compressors (7), both BROTLI, ZSTD, ZSTD_DICT of a draft
// (4), IDENTITY, and a value of two bytes.
const CAPABILITIES = hex("0a 12 20 01 32 06 03 01 04 00 ac 02 3a 06 03 01 04 00 ac 02");

test("given a newer server, when a client of 2.3 asks, then it sees the compressors it knows, in the server's order", () => {
  const pair = plan(client({ level: "2.3" }), server({ level: "2.12" }));
  assert.deepEqual(announce(pair, CAPABILITIES), hex("0a 0a 20 01 32 02 01 00 3a 02 01 00"));
});

test("given a newer client, then only what is in no revision is kept from it", () => {
  const pair = plan(client({ level: "2.12" }), server({ level: "2.5" }));
  assert.deepEqual(announce(pair, CAPABILITIES), hex("0a 0c 20 01 32 03 03 01 00 3a 03 03 01 00"));
});

test("given a list that is not packed, then it is read as well", () => {
  const pair = plan(client({ level: "2.3" }), server({ level: "2.12" }));
  assert.deepEqual(announce(pair, hex("0a 08 20 01 30 03 30 01 38 04")), hex("0a 04 20 01 30 01"));
});

test("given a server whose compressed blobs would be refused, then no compressor is announced", () => {
  const plain = { reads: ["plain"] };
  const forms = { "compressed-blobs": plain, "batch-compression": plain };
  const pair = plan(client(), server({ forms }));
  assert.deepEqual(announce(pair, CAPABILITIES), hex("0a 08 20 01 32 01 00 3a 01 00"));
});

test("given nothing to hide, then the answer is the very same", () => {
  const capabilities = hex("0a 06 20 01 32 02 01 02");
  assert.equal(
    announce(plan(client({ level: "2.3" }), server({ level: "2.12" })), capabilities),
    capabilities,
  );
});
