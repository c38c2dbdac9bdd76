import assert from "node:assert/strict";
import { test } from "node:test";
import { editResponse } from "../../../src/plan/run-hooks.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { EXECUTE, WAIT_EXECUTION } from "../../../src/translators/methods.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { call, client, plan, server } from "../support.ts";

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
