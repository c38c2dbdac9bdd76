import assert from "node:assert/strict";
import { test } from "node:test";
import { announce, editMetadata, editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE, GET_ACTION_RESULT, READ, WAIT_EXECUTION } from "../../../src/translators/methods.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, originals, plan, resultOf, server, transformed } from "../support.ts";

// Numbers that a proposal used and another proposal, or a revision, gave to something else: what becomes of those bytes.

const V2 = "build.bazel.remote.execution.v2";

/** A server of a draft, from before 2.12, and one of which nothing is known. */
const drafts = [server({ level: "2.11" }), server({ level: null })];

test("P05: CacheCapabilities.11 of the draft is dropped, since it reads as parameters without an average size", () => {
  // A batch limit (4), then under 11: a message in place of the average, and 512 KiB in place of the seed; and one with the latter only.
  for (const draft of ["0a 0c 20 01 5a 08 0a 02 08 01 10 80 80 20", "0a 08 20 01 5a 04 10 80 80 20"]) {
    for (const upstream of drafts) {
      assert.deepEqual(announce(plan(client(), upstream), hex(draft)), hex("0a 02 20 01"));
    }
  }
});

test("P05: parameters of 2.12 stay, also of a server that says an older version", () => {
  // avg_chunk_size_bytes (1) 64 KiB and seed (2) 5; and parameters that are all left to their defaults.
  for (const parameters of ["0a 0a 20 01 5a 06 08 80 80 04 10 05", "0a 04 20 01 5a 00"]) {
    const bytes = hex(parameters);
    for (const upstream of [...drafts, server()])
      assert.equal(announce(plan(client(), upstream), bytes), bytes);
  }
});

test("P10: CacheCapabilities.8 as a message is dropped, as a number it is the limit of 2.12", () => {
  for (const upstream of drafts) {
    const pair = plan(client(), upstream);
    assert.deepEqual(announce(pair, hex("0a 06 20 01 42 02 08 01")), hex("0a 02 20 01"));
    const limit = hex("0a 04 20 01 40 7f");
    assert.equal(announce(pair, limit), limit);
  }
});

test("P08: digest function 10 is hidden, unless the server's revision or its profile says that it is GITSHA1", () => {
  // digest_functions (1): SHA256, 10, SHA1.
  const announced = hex("0a 07 0a 03 01 0a 02 20 01");
  const without = hex("0a 06 0a 02 01 02 20 01");
  const functions = { digestFunctions: [1, 10, 2] };
  assert.deepEqual(announce(plan(client(), server({ level: "2.11", ...functions })), announced), without);
  assert.deepEqual(announce(plan(client(), server({ level: null, ...functions })), announced), without);
  assert.equal(announce(plan(client(), server({ level: "2.12", ...functions })), announced), announced);
  const evidence = "the test";
  const facts = { digestFunctions: { are: ["SHA256", "GITSHA1"], several: true, evidence } } as const;
  const named = server({ level: "2.11", ...functions, facts });
  assert.equal(announce(plan(client(), named), announced), announced);
});

test("P08: a hash of 42 digits belongs to no function: it passes, and the upstream refuses it by its length", async () => {
  const resourceName = `blobs/${"62".repeat(21)}/7`;
  const request = codec().encode("google.bytestream.ReadRequest", { resourceName });
  for (const upstream of [...drafts, server()]) {
    const method = plan(client(), upstream).methods.get(READ);
    if (method !== undefined) assert.equal(await editRequest(method, request, call(READ)), request);
  }
});

test("P09, P22: ActionResult.13 and 14 pass as they are, whichever proposal they are of", async () => {
  // exit_code (4), a link (10) that the newer client gets in its own list, then 13 as a message (P09) or a digest (P22) and 14 as text.
  const links = "52 06 0a 01 6c 12 01 74";
  for (const drafted of ["6a 02 08 01", "6a 04 0a 02 61 62", "6a 04 0a 02 61 62 72 01 78"]) {
    const made = plan(client({ level: "2.1" }), server({ level: "2.0" }));
    const edited = await resultOf(made, hex(`20 02 ${links} ${drafted}`), originals(new MemoryUpstream()));
    assert.deepEqual(edited, hex(`20 02 ${links} 62 06 0a 01 6c 12 01 74 ${drafted}`));
  }
});

test("P19, P22: ExecuteOperationMetadata.5 as text is dropped where a profile says that the server writes it", async () => {
  const metadata = (text: string | null): Buffer => {
    const inner = new FieldWriter();
    inner.varint(1, 2);
    if (text !== null) inner.text(5, text);
    const any = new FieldWriter();
    any.text(1, `type.googleapis.com/${V2}.ExecuteOperationMetadata`);
    any.message(2, inner.finish());
    const operation = new FieldWriter();
    operation.message(2, any.finish());
    return operation.toBuffer();
  };
  const drafted = server({ level: "2.3", forms: { "execution-metadata": { writes: ["uuid"] } } });
  const method = plan(client(), drafted).methods.get(WAIT_EXECUTION)!;
  const uuid = "550e8400-e29b-41d4-a716-446655440000";
  assert.deepEqual(await editResponse(method, metadata(uuid), call(WAIT_EXECUTION)), metadata(null));
});

test("P20: Command.9 of the draft becomes what it means, outputs relative to the input root, and is not read as a format", () => {
  // Command: working_directory (6) "w", output_paths (7) "w/a", field 9 as 1: DIRECTORY_ONLY for whoever knows 2.8.
  const command = hex("32 01 77 3a 03 77 2f 61 48 01");
  const given = { action: Buffer.alloc(0), command };
  const drafted = client({ forms: { "output-base": { writes: ["drafted"] } } });
  assert.deepEqual(transformed(plan(drafted, server()), given).command, hex("32 01 77 3a 01 61"));
  assert.equal(transformed(plan(client(), server()), given).command, command);
});

test("P06, P21: RequestMetadata.8 passes as it is, as a message or as a number", () => {
  const header = `${V2}.requestmetadata-bin`;
  for (const drafted of ["42 03 0a 01 62", "40 02"]) {
    const entries = [[header, hex(`12 01 61 ${drafted}`).toString("base64")]] as const;
    for (const upstream of [...drafts, server()]) {
      assert.equal(editMetadata(plan(client({ level: null }), upstream), entries), entries);
    }
  }
});

test("P22: GetActionResultRequest.6 of the draft reads as SHA256, which is what the server assumes, and passes", async () => {
  // action_digest (2) with a hash (1), field 6 as true.
  const request = hex("12 04 0a 02 61 62 30 01");
  for (const upstream of [...drafts, server(), server({ level: "2.3" })]) {
    const method = plan(client(), upstream).methods.get(GET_ACTION_RESULT);
    if (method !== undefined)
      assert.equal(await editRequest(method, request, call(GET_ACTION_RESULT)), request);
  }
});

test("P20, P22: none of these makes a call of peers that agree leave the relay lane", () => {
  const { methods } = plan(client(), server());
  for (const path of [EXECUTE, GET_ACTION_RESULT, READ]) assert.equal(methods.get(path), undefined);
});
