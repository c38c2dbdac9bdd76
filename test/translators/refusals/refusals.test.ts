import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE, FIND_MISSING_BLOBS, GET_TREE, READ } from "../../../src/translators/methods.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
const HASH = "ab".repeat(32);

const forms = (feature: string, form: string) => ({
  forms: { [feature]: { reads: [form], writes: [form] } },
});

const newToOld = plan(client({ level: "2.9" }), server({ level: "2.0" }));

test("what is done to actions opens Execute, and no call that names none", () => {
  const lanes = [...newToOld.methods].filter(([, { lane }]) => lane === "translate").map(([path]) => path);
  assert.ok(lanes.includes(EXECUTE));
  assert.ok(!lanes.includes(GET_TREE));
});

async function refusedRequest({ methods }: Plan, path: string, message: Buffer): Promise<BridgeError> {
  try {
    await editRequest(methods.get(path)!, message, call(path));
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
  throw new Error("the request was not refused");
}

test("a digest function that an older server takes for one of its own", async () => {
  const message = codec().encode(`${V2}.FindMissingBlobsRequest`, { digestFunction: 9 });
  const { facts } = await refusedRequest(newToOld, FIND_MISSING_BLOBS, message);
  assert.deepEqual([facts.code, facts.field], ["digest-function-unsupported", "digest_function"]);
  const name = codec().encode("google.bytestream.ReadRequest", { resourceName: `blobs/blake3/${HASH}/1` });
  assert.equal((await refusedRequest(newToOld, READ, name)).facts.field, "resource_name");
});

test("a request from before July 2018 is told which client to use", async () => {
  const pair = plan(client(forms("ancient-clients", "inline")), server());
  const { facts, message } = await refusedRequest(pair, EXECUTE, hex("12 00"));
  assert.equal(facts.code, "client-too-old");
  assert.match(message, /Bazel 0\.17/);
});
