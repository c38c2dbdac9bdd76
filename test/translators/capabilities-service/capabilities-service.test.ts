import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dialect } from "../../../src/peers/dialect.ts";
import type { ServerFacts } from "../../../src/peers/profile.ts";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE, GET_CAPABILITIES } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { call, client, plan, server } from "../support.ts";

const NAME = "build.bazel.remote.execution.v2.ServerCapabilities";
const SHA256 = 1;
const BLAKE3 = 9;
const evidence = "the test";

async function* none(): AsyncGenerator<Buffer> {}

/** The answer the bridge makes in place of a server. */
async function made(upstream: Dialect<"server">): Promise<Buffer> {
  const { methods, pair } = plan(client(), upstream);
  const method = methods.get(GET_CAPABILITIES)!;
  assert.equal(method.lane, "local");
  assert.equal(method.answers.length, 1);
  const answer = await method.answers[0]!(Buffer.alloc(0), none(), call(GET_CAPABILITIES), pair);
  const messages = [];
  for await (const slices of answer!) messages.push(Buffer.concat(slices));
  assert.equal(messages.length, 1);
  return messages[0]!;
}

const without = (facts: ServerFacts, digestFunctions = [SHA256], missing: string[] = []) =>
  server({ facts, digestFunctions, missingMethods: [GET_CAPABILITIES, ...missing] });

test("given a server without the service, when a client asks, then the answer is what its profile says it has", async () => {
  const facts: ServerFacts = {
    window: { low: "2.0", high: "2.2", evidence },
    compressors: { are: ["ZSTD"], optional: ["BROTLI"], evidence },
    batchCompressors: { are: [], evidence },
    batchLimit: { announced: 65536, evidence },
    absoluteSymlinks: { are: "ALLOWED", evidence },
    cacheWrites: { announced: "yes", evidence },
    execution: { offered: "yes", evidence },
    priorities: { are: "not-negative", evidence },
  };
  assert.deepEqual(
    await made(without(facts, [SHA256, BLAKE3])),
    codec().encode(NAME, {
      cacheCapabilities: {
        digestFunctions: [SHA256, BLAKE3],
        actionCacheUpdateCapabilities: { updateEnabled: true },
        maxBatchTotalSizeBytes: 65536n,
        symlinkAbsolutePathStrategy: 2,
        supportedCompressors: [1],
      },
      executionCapabilities: {
        digestFunction: SHA256,
        digestFunctions: [SHA256, BLAKE3],
        execEnabled: true,
        executionPriorityCapabilities: { priorities: [{ minPriority: 0, maxPriority: 2147483647 }] },
      },
      lowApiVersion: { major: 2 },
      highApiVersion: { major: 2, minor: 2 },
    }),
  );
});

test("given a profile that leaves things to the configuration, then none of them is claimed", async () => {
  const { cacheCapabilities, executionCapabilities, lowApiVersion, highApiVersion } = codec().decode(
    NAME,
    await made(
      without({
        compressors: { are: [], optional: ["ZSTD"], evidence },
        absoluteSymlinks: { are: "ALLOWED", optional: true, evidence },
        cacheWrites: { announced: "configured", evidence },
        execution: { offered: "configured", evidence },
        window: { evidence },
      }),
    ),
  );
  assert.equal(cacheCapabilities?.actionCacheUpdateCapabilities?.updateEnabled, false);
  assert.deepEqual(cacheCapabilities?.supportedCompressors, []);
  assert.equal(cacheCapabilities?.symlinkAbsolutePathStrategy, 1);
  assert.equal(Number(cacheCapabilities?.maxBatchTotalSizeBytes), 3 << 20);
  // A client that is told that there is no execution never tries; one that tries is told by the server.
  assert.equal(executionCapabilities?.execEnabled, true);
  assert.deepEqual([lowApiVersion, highApiVersion], [null, null]);
});

test("given a server that lacks Execute, then no execution is announced for it", async () => {
  const facts: ServerFacts = { execution: { offered: "yes", evidence } };
  const { executionCapabilities } = codec().decode(NAME, await made(without(facts, [SHA256], [EXECUTE])));
  assert.equal(executionCapabilities, null);
});

test("given no profile, then the client is told to name one", () => {
  const { lane, refusal } = plan(client(), without({}, [])).methods.get(GET_CAPABILITIES)!;
  assert.equal(lane, "reject");
  assert.equal(
    refusal!().message,
    'The method GetCapabilities (API 2018-11) was used, but the upstream "the server" speaks main and does not have it, and what it ' +
      "has is not known; name the server's profile, with its digest functions, in the configuration of the bridge [method-unsupported, D01]",
  );
});

test("given a server that has the service, then it is asked", () => {
  assert.equal(plan(client(), server()).methods.get(GET_CAPABILITIES), undefined);
});

test("given the policy off, then the call goes to the server all the same", () => {
  const off = plan(client(), without({}), { "capabilities-service": "off" });
  assert.equal(off.methods.get(GET_CAPABILITIES)?.answers.length ?? 0, 0);
});

test("given a made answer, then the lenses find nothing of it that the client must not see", async () => {
  const facts: ServerFacts = { batchLimit: { announced: 4 << 20, counts: "message", evidence } };
  const upstream = without(facts);
  const capabilities = await made(upstream);
  assert.equal(announce(plan(client(), upstream), capabilities), capabilities);
});

test("given the Scoot of 2022, then a client learns of SHA-256 and of execution, and of no versions", async () => {
  const facts = peerFacts(shippedProfiles().resolve("server", "scoot@2022"));
  const upstream = resolveDialect(facts, TRANSLATORS);
  const { cacheCapabilities, executionCapabilities, highApiVersion } = codec().decode(
    NAME,
    await made(upstream),
  );
  assert.deepEqual(cacheCapabilities?.digestFunctions, [SHA256]);
  assert.equal(executionCapabilities?.execEnabled, true);
  assert.equal(highApiVersion, null);
});

test("given a server of assets only, then it is said to have neither a store nor execution, in the versions of the pair", async () => {
  const upstream = resolveDialect(
    peerFacts(shippedProfiles().resolve("server", "bb-remote-asset")),
    TRANSLATORS,
  );
  const capabilities = await made(upstream);
  assert.equal(capabilities.length, 0);
  const told = announce(
    plan(client(), upstream, {}, { deprecated: null, low: [2, 0], high: [2, 11] }),
    capabilities,
  );
  assert.deepEqual(
    told,
    codec().encode(NAME, { lowApiVersion: { major: 2 }, highApiVersion: { major: 2, minor: 11 } }),
  );
});
