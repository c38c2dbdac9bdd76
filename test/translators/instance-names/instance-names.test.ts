import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec } from "../../../src/spec/codec.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { EXECUTE, FIND_MISSING_BLOBS, READ, WRITE } from "../../../src/translators/methods.ts";
import { call, client, plan, server } from "../support.ts";

const HASH = "ab".repeat(32);
const evidence = "the test";

const finding = (instanceName: string): Buffer =>
  codec().encode("build.bazel.remote.execution.v2.FindMissingBlobsRequest", { instanceName });
const executing = (instanceName: string): Buffer =>
  codec().encode("build.bazel.remote.execution.v2.ExecuteRequest", { instanceName });
const reading = (resourceName: string): Buffer =>
  codec().encode("google.bytestream.ReadRequest", { resourceName });
const writing = (resourceName: string): Buffer =>
  codec().encode("google.bytestream.WriteRequest", { resourceName, data: Buffer.from("x") });

/** The error that a request is refused with, or null for one that passes as the same buffer. */
async function refusal(pair: Plan, path: string, request: Buffer): Promise<BridgeError | null> {
  const method = pair.methods.get(path);
  if (method === undefined) return null;
  try {
    assert.equal(await editRequest({ ...method, requests: [] }, request, call(path)), request);
    return null;
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
}

test("given a client from before compressed blobs, when its instance has that word, then a newer server does not get it", async () => {
  const pair = plan(client({ level: "2.0" }), server());
  const error = await refusal(pair, WRITE, writing(`a/compressed-blobs/b/uploads/1/blobs/${HASH}/1`));
  assert.equal(
    error?.message,
    'An instance name with the segment compressed-blobs was used, but the upstream "the server" speaks main and reserves compressed-blobs; ' +
      "rename the instance on its way, with `rename` in a route of the bridge [name-unsupported, D14]",
  );
  assert.equal(error.facts.field, "resource_name");
  // A field of its own is not taken for anything else.
  assert.equal(await refusal(pair, FIND_MISSING_BLOBS, finding("compressed-blobs")), null);
});

test("given such a client, then every other name passes, also those of compressed blobs", async () => {
  const pair = plan(client({ level: "2.0" }), server());
  for (const name of ["", "main", "a/b", "compressed-blobs-of-mine"]) {
    assert.equal(await refusal(pair, FIND_MISSING_BLOBS, finding(name)), null, name);
  }
  for (const name of [
    `a/uploads/1/compressed-blobs/zstd/${HASH}/1`,
    "streams/1",
    `uploads/1/blobs/${HASH}/1`,
  ]) {
    assert.equal(await refusal(pair, WRITE, writing(name)), null, name);
  }
});

test("given a client from before 2.0, then no word of any newer grammar passes", async () => {
  for (const level of ["2.0", "2.3", "2.8"] as const) {
    const pair = plan(client({ level: "2018-11" }), server({ level }));
    // After `uploads` an instance ends in every grammar.
    for (const word of ["blobs", "actions", "actionResults", "operations", "capabilities"]) {
      const error = await refusal(pair, READ, reading(`a/${word}/b/blobs/${HASH}/1`));
      assert.equal(error?.facts.code, "name-unsupported", `${word} for ${level}`);
    }
  }
});

test("given a server of 2.0, then compressed-blobs is a word like any other", async () => {
  const pair = plan(client({ level: "2018-11" }), server({ level: "2.0" }));
  assert.equal(await refusal(pair, READ, reading(`compressed-blobs/blobs/${HASH}/1`)), null);
});

test("given a newer client, whose names are free, then a server of 2.3 does not get reserved words", async () => {
  const pair = plan(client(), server({ level: "2.3" }));
  assert.equal(
    (await refusal(pair, READ, reading(`operations/blobs/${HASH}/1`)))?.facts.code,
    "name-unsupported",
  );
  assert.equal(await refusal(pair, READ, reading(`any text at all/blobs/${HASH}/1`)), null);
});

test("given a profile of a server whose names end at such a word, then its version does not count", async () => {
  const buildfarm = server({
    facts: { instanceNames: { are: "any", reservedWords: "end-the-name", evidence } },
  });
  const pair = plan(client(), buildfarm);
  const error = await refusal(pair, READ, reading(`a/blobs/b/blobs/${HASH}/1`));
  assert.equal(error?.facts.code, "name-unsupported");
});

test("given a server that refuses such words itself, then they pass", async () => {
  const facts = { instanceNames: { are: "prefix", reservedWords: "refused", evidence } } as const;
  assert.equal(plan(client(), server({ facts })).methods.size, 0);
});

test("given a server that loses executions of instances with slashes, then only Execute is refused", async () => {
  const facts = { instanceNames: { are: "configured", slashes: "break-wait-execution", evidence } } as const;
  const pair = plan(client(), server({ facts }));
  const error = await refusal(pair, EXECUTE, executing("a/b"));
  assert.match(error?.message ?? "", /An instance name with a slash/);
  assert.equal(await refusal(pair, EXECUTE, executing("main")), null);
  assert.equal(await refusal(pair, FIND_MISSING_BLOBS, finding("a/b")), null);
});

test("given a client that never waits for an execution, then such a server serves it", async () => {
  const facts = { instanceNames: { are: "configured", slashes: "break-wait-execution", evidence } } as const;
  const never = client({ facts: { waitExecution: { used: false, evidence } } });
  assert.equal(await refusal(plan(never, server({ facts })), EXECUTE, executing("a/b")), null);
});

test("the calls stay in the relay lane, and a server of which nothing is known gets every name", () => {
  for (const to of LEVELS) {
    const { methods } = plan(client({ level: "2018-11" }), server({ level: to }));
    if (methods.get(READ)?.features.includes("instance-names"))
      assert.equal(methods.get(READ)!.lane, "relay");
    assert.ok(!methods.get(FIND_MISSING_BLOBS)?.features.includes("instance-names"), to);
  }
  const unknown = plan(client({ level: "2018-11" }), server({ level: null }));
  assert.ok(![...unknown.methods.values()].some(({ features }) => features.includes("instance-names")));
});
