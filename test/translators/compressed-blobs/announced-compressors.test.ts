import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { READ } from "../../../src/translators/methods.ts";
import { V2, type V2Message } from "../../support/reapi-client.ts";
import { hex } from "../../unit/wire/support.ts";
import { NAMES, StreamedBlob, streaming, unpacked } from "../streams.ts";
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

test("given the policy that wants compression, then the bridge's own come behind the upstream's, as far as the client's revision has them", () => {
  const zstd = {
    "compressed-blobs": { reads: ["plain", "zstd"] },
    "batch-compression": { reads: ["plain"] },
  };
  const wanted = (level: "2.3" | "2.12") =>
    plan(client({ level }), server({ forms: zstd }), { "compressed-blobs": "require" });
  const told = (level: "2.3" | "2.12", bytes: Buffer) =>
    codec().decode(`${V2}.ServerCapabilities`, announce(wanted(level), bytes)).cacheCapabilities
      ?.supportedCompressors;
  assert.deepEqual(told("2.12", hex("0a 04 32 02 00 01")), [0, 1, 2, 3]);
  assert.deepEqual(told("2.3", hex("0a 04 32 02 00 01")), [0, 1, 2]);
  assert.deepEqual(told("2.12", hex("0a 02 20 01")), [1, 2, 3]);
  const once = announce(wanted("2.12"), hex("0a 04 32 02 00 01"));
  assert.equal(announce(wanted("2.12"), once), once);
});

test("given no such policy, then the upstream's list is what is told, though more would be served", () => {
  const { methods } = plan(client(), server({ level: "2.2" }));
  assert.ok(methods.get(READ)?.exchanges.length);
  const capabilities = hex("0a 02 20 01");
  assert.equal(announce(plan(client(), server({ level: "2.2" })), capabilities), capabilities);
});

test("given that policy, then what is told is served", async (t) => {
  const { direct, bridged } = await streaming(t, {
    server: "2.2",
    config: { policy: { "compressed-blobs": "require" } },
  });
  type Capabilities = V2Message<"ServerCapabilities">;
  const { cacheCapabilities } = await bridged.unary<Capabilities>("Capabilities/GetCapabilities", {});
  assert.deepEqual(cacheCapabilities?.supportedCompressors, [1, 2, 3]);
  const blob = new StreamedBlob(Buffer.from("short"));
  for (const name of NAMES) {
    await bridged.write(new StreamedBlob(blob.bytes).write(name), [await blob.packed(name)]);
    assert.deepEqual(await unpacked(name, await bridged.read(blob.read(name)), 5), blob.bytes);
  }
  assert.deepEqual(await direct.read(blob.read()), blob.bytes);
});
