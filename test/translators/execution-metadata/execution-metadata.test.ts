import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import type { Level } from "../../../src/spec/versions.ts";
import {
  EXECUTE,
  GET_ACTION_RESULT,
  GET_OPERATION,
  WAIT_EXECUTION,
} from "../../../src/translators/methods.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, originals, plan, resultOf, server } from "../support.ts";

const UUID = Buffer.from("550e8400-e29b-41d4-a716-446655440000");
const LETTERS = Buffer.from("bbbbbbbb-e29b-41d4-a716-446655440000");
// ExecutedActionMetadata: worker (1) "w", and an empty time (3).
const PARTIAL = Buffer.from("0a01771a00", "hex");

/** An Operation (name 1, metadata 2) with an ExecuteOperationMetadata: stage 3, what is under 5, and a field of nobody's. */
function operation(underFive: Buffer | null, type = "ExecuteOperationMetadata"): Buffer {
  const metadata = new FieldWriter();
  metadata.varint(1, 3);
  if (underFive !== null) metadata.bytes(5, underFive);
  metadata.text(99, "kept");
  const any = new FieldWriter();
  any.text(1, `type.googleapis.com/build.bazel.remote.execution.v2.${type}`);
  any.message(2, metadata.finish());
  const out = new FieldWriter();
  out.text(1, "operations/1");
  out.message(2, any.finish());
  return out.toBuffer();
}

const drafted = server({ forms: { "execution-metadata": { writes: ["uuid"] } } });

async function seen(level: Level, message: Buffer, path = EXECUTE): Promise<Buffer> {
  const method = plan(client({ level }), drafted).methods.get(path);
  return method === undefined ? message : editResponse(method, message, call(path));
}

test("given a server of the draft, when a newer client reads, then the text is not there and all else is", async () => {
  for (const text of [UUID, LETTERS, Buffer.from("x")]) {
    for (const path of [EXECUTE, WAIT_EXECUTION])
      assert.deepEqual(await seen("2.6", operation(text), path), operation(null));
  }
});

test("given what is no text but the metadata of 2.6, then it is the same buffer", async () => {
  for (const message of [
    operation(PARTIAL),
    operation(Buffer.alloc(0)),
    operation(null),
    operation(UUID, "Other"),
  ])
    assert.equal(await seen("2.6", message), message);
});

test("given a client from before 2.6, then it skips the field itself and no call is opened for it", async () => {
  const { methods } = plan(client({ level: "2.5" }), drafted);
  assert.ok(!methods.get(EXECUTE)?.features.includes("execution-metadata"));
});

test("given a server without the draft, then older and newer sides pass", () => {
  for (const [from, to] of [
    ["2.6", "2.3"],
    ["2.3", "2.6"],
    ["2018-11", "main"],
  ] as const) {
    const { methods } = plan(client({ level: from }), server({ level: to }));
    for (const { features } of methods.values()) assert.ok(!features.includes("execution-metadata"));
  }
});

test("a second time changes nothing", async () => {
  const once = await seen("main", operation(UUID));
  assert.equal(await seen("main", once), once);
});

/** An Operation (response 5) with an ExecuteResponse: a result (1), a status (3) with a code and a text, and a message (5). */
function finished(code: number, text: string, message: string, type = "ExecuteResponse"): Buffer {
  const status = new FieldWriter();
  if (code !== 0) status.varint(1, code);
  if (text !== "") status.text(2, text);
  const response = new FieldWriter();
  response.bytes(1, Buffer.from("2001", "hex"));
  response.message(3, status.finish());
  if (message !== "") response.text(5, message);
  response.text(99, "kept");
  const any = new FieldWriter();
  any.text(1, `type.googleapis.com/build.bazel.remote.execution.v2.${type}`);
  any.message(2, response.finish());
  const out = new FieldWriter();
  out.text(1, "operations/1");
  out.varint(3, true);
  out.message(5, any.finish());
  return out.toBuffer();
}

const bare = client({ level: "2018-11", forms: { "execution-metadata": { reads: ["bare"] } } });
const saying = plan(bare, server({ level: "2.3" }), { "execution-metadata": "require" });

test("given a client from before ExecuteResponse.message, when the policy requires it, then a failure says it in its status", async () => {
  for (const path of [EXECUTE, WAIT_EXECUTION, GET_OPERATION]) {
    const edit = (message: Buffer) => editResponse(saying.methods.get(path)!, message, call(path));
    const once = await edit(finished(9, "failed", "see the log"));
    assert.deepEqual(once, finished(9, "failed\nsee the log", "see the log"));
    assert.equal(await edit(once), once);
    assert.deepEqual(await edit(finished(9, "", "see the log")), finished(9, "see the log", "see the log"));
    for (const message of [
      finished(0, "", "see the log"),
      finished(9, "failed", ""),
      finished(9, "failed", "see the log", "Other"),
      operation(UUID),
    ])
      assert.equal(await edit(message), message);
  }
});

test("given the policy that nobody set, or a client that has the field, then nothing is said twice", () => {
  for (const [from, policy] of [
    [bare, {}],
    [client({ level: "2018-11" }), { "execution-metadata": "require" }],
  ] as const)
    assert.ok(
      !plan(from, server({ level: "2.3" }), policy)
        .methods.get(EXECUTE)
        ?.features.includes("execution-metadata"),
    );
});

const interleaved = { forms: { "execution-metadata": { reads: ["interleaved"], writes: ["interleaved"] } } };

test("P22: given a client of the draft, then its wish does not read as a digest function, and a digest function stays one", async () => {
  const { methods } = plan(client(interleaved), server());
  const edit = (message: Buffer) =>
    editRequest(methods.get(GET_ACTION_RESULT)!, message, call(GET_ACTION_RESULT));
  // action_digest (2), then field 6.
  assert.deepEqual(await edit(hex("12 04 0a 02 61 62 30 01 50 01")), hex("12 04 0a 02 61 62 50 01"));
  for (const kept of ["12 04 0a 02 61 62 30 09", "12 04 0a 02 61 62", "32 01 01"])
    assert.equal((await edit(hex(kept))).toString("hex"), hex(kept).toString("hex"));
});

test("P22: given a server of the draft, then its interleaved output is dropped from results, and its text from operations", async () => {
  const pair = plan(client(), server(interleaved));
  // exit_code (4), a digest (13), raw bytes (14), a vendor's field (99).
  const result = await resultOf(
    pair,
    hex("20 02 6a 04 0a 02 61 62 72 01 78 9a 06 01 61"),
    originals(new MemoryUpstream()),
  );
  assert.deepEqual(result, hex("20 02 9a 06 01 61"));
  assert.equal(await resultOf(pair, result, originals(new MemoryUpstream())), result);
  const method = pair.methods.get(EXECUTE)!;
  assert.deepEqual(await editResponse(method, operation(UUID), call(EXECUTE)), operation(null));
});

test("P22: given a client and a server of the draft, then both have it all", () => {
  const { methods } = plan(client(interleaved), server(interleaved));
  assert.deepEqual([methods.get(EXECUTE), methods.get(GET_ACTION_RESULT)], [undefined, undefined]);
});
