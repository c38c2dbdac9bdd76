import assert from "node:assert/strict";
import { test } from "node:test";
import { editMetadata, editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { EXECUTE, QUERY_WRITE_STATUS, READ, WRITE } from "../../../src/translators/methods.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";

/** Names of streams, to be read and to be written to: with an instance, without, with words and hashes that are none of a blob. */
const NAMES = [
  "logstreams/1b4e28ba-2fa1-11d2-883f-0016d3cca427",
  "main/logstreams/1/write",
  "projects/p/instances/i/logStreams/AB12/stdout",
  `streams/${"ab".repeat(32)}/7`,
  "uploads/1/logs/stderr",
  "blobs",
  "compressed-blobs/zstd",
  "blake3/blobs/x",
  "",
];

/** Plans of every pair of levels, and of peers with all that is done to names. */
const PLANS = [
  ...LEVELS.flatMap((from) => LEVELS.map((to) => plan(client({ level: from }), server({ level: to })))),
  plan(client({ level: null }), server({ level: null })),
  plan(
    client({
      digestFunctions: [9],
      forms: { "hash-text": { writes: ["any-case"] }, "resource-names": { writes: ["extended", "unsaid"] } },
    }),
    server({
      digestFunctions: [1, 9],
      forms: {
        "hash-text": { reads: ["lower"] },
        "resource-names": { reads: ["plain"] },
        "compressed-blobs": { reads: ["plain"] },
      },
    }),
  ),
];

const REQUESTS = [
  [READ, "ReadRequest"],
  [WRITE, "WriteRequest"],
  [QUERY_WRITE_STATUS, "QueryWriteStatusRequest"],
] as const;

test("given a name that is none of a blob, then ByteStream calls pass untouched under every plan", async () => {
  for (const { methods } of PLANS) {
    for (const [path, message] of REQUESTS) {
      const method = methods.get(path);
      assert.notEqual(method?.lane, "reject");
      for (const resourceName of NAMES) {
        const request = codec().encode(`google.bytestream.${message}`, { resourceName });
        if (method !== undefined)
          assert.equal(await editRequest(method, request, call(path)), request, resourceName);
      }
    }
  }
});

test("given such a name in the routing header, then the header passes as it is", () => {
  for (const pair of PLANS) {
    for (const name of NAMES) {
      const entries = [[`${V2}.resource-name`, name]] as const;
      assert.equal(editMetadata(pair, entries), entries);
    }
  }
});

test("given names in the metadata of an operation, then they are the same to the client", async () => {
  const metadata = codec().encode(`${V2}.ExecuteOperationMetadata`, {
    stage: 2,
    stdoutStreamName: "main/logstreams/1/read",
    stderrStreamName: "operations/2/stderr",
  });
  const any = new FieldWriter();
  any.text(1, `type.googleapis.com/${V2}.ExecuteOperationMetadata`);
  any.bytes(2, metadata);
  const operation = new FieldWriter();
  operation.text(1, "operations/1");
  operation.message(2, any.finish());
  const message = operation.toBuffer();
  for (const { methods } of PLANS) {
    const method = methods.get(EXECUTE);
    if (method !== undefined) assert.equal(await editResponse(method, message, call(EXECUTE)), message);
  }
});
