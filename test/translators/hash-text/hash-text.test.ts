import assert from "node:assert/strict";
import { test } from "node:test";
import { editMetadata, editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { BATCH_READ_BLOBS, EXECUTE, FIND_MISSING_BLOBS, READ } from "../../../src/translators/methods.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
const UPPER = { hash: "AB".repeat(32), sizeBytes: 5n };
const LOWER = { hash: "ab".repeat(32), sizeBytes: 5n };
const OTHER = { hash: "cd".repeat(32), sizeBytes: 6n };

const shouting = client({ level: "2.2", forms: { "hash-text": { writes: ["any-case"] } } });
const strict = plan(shouting, server());

test("given a strict server, when a client asks in upper case, then the server is asked in lower case", async () => {
  const name = `${V2}.FindMissingBlobsRequest` as const;
  const request = codec().encode(name, { instanceName: "main", blobDigests: [UPPER, OTHER] });
  const sent = await editRequest(strict.methods.get(FIND_MISSING_BLOBS)!, request, call(FIND_MISSING_BLOBS));
  assert.deepEqual(sent, codec().encode(name, { instanceName: "main", blobDigests: [LOWER, OTHER] }));
});

test("and the client finds its own digests in the answer", async () => {
  const found = call(FIND_MISSING_BLOBS);
  const method = strict.methods.get(FIND_MISSING_BLOBS)!;
  await editRequest(
    method,
    codec().encode(`${V2}.FindMissingBlobsRequest`, { blobDigests: [UPPER, OTHER] }),
    found,
  );
  const name = `${V2}.FindMissingBlobsResponse` as const;
  const answer = await editResponse(
    method,
    codec().encode(name, { missingBlobDigests: [LOWER, OTHER] }),
    found,
  );
  assert.deepEqual(answer, codec().encode(name, { missingBlobDigests: [UPPER, OTHER] }));
});

test("and blobs come under the digest they were asked for with, their data untouched", async () => {
  const read = call(BATCH_READ_BLOBS);
  const method = strict.methods.get(BATCH_READ_BLOBS)!;
  await editRequest(method, codec().encode(`${V2}.BatchReadBlobsRequest`, { digests: [UPPER] }), read);
  const name = `${V2}.BatchReadBlobsResponse` as const;
  const data = Buffer.from("abAB0");
  const answer = await editResponse(
    method,
    codec().encode(name, { responses: [{ digest: LOWER, data }] }),
    read,
  );
  assert.deepEqual(answer, codec().encode(name, { responses: [{ digest: UPPER, data }] }));
});

test("given a stream, then only the name at its head is changed, and the call stays in the relay lane", async () => {
  const method = strict.methods.get(READ)!;
  assert.equal(method.lane, "relay");
  const head = method.heads[0]!;
  assert.equal(
    head.rewrite(Buffer.from(`main/blobs/${UPPER.hash}/5`))?.toString(),
    `main/blobs/${LOWER.hash}/5`,
  );
  const stream = Buffer.from("streams/AB/CD");
  assert.equal(head.rewrite(stream), stream);
  assert.equal(head.rewrite(null), null);
});

test("given an Action with such a hash inside, then it is refused: another letter would be another Action", () => {
  const action = codec().encode(`${V2}.Action`, { commandDigest: UPPER, inputRootDigest: LOWER });
  const check = strict.checks.find(
    (candidate) => candidate.in === "action" && candidate.found(action, Buffer.alloc(0)),
  );
  assert.match(
    check!.refusal().message,
    /^A hash with upper-case digits was used, .*\[digest-malformed, D12\]$/,
  );
  assert.equal(check!.refusal().facts.field, "command_digest.hash");
  assert.equal(strict.methods.get(EXECUTE)?.lane, "translate");
});

test("given a server that takes either, then every call is relayed", () => {
  const { methods } = plan(shouting, server({ level: "2.2" }));
  assert.equal(methods.get(FIND_MISSING_BLOBS), undefined);
});

test("given an older server, when a newer client calls in lower case, then every call is relayed", () => {
  const { decisions } = plan(client({ level: "2.9" }), server({ level: "2.8" }));
  const about = decisions.filter(({ feature }) => feature === "hash-text");
  assert.ok(about.every(({ verdict }) => verdict === "native"));
});

test("and the header that repeats the name follows", () => {
  const header = "build.bazel.remote.execution.v2.resource-name";
  assert.deepEqual(editMetadata(strict, [[header, `blobs/${UPPER.hash}/5/X`]]), [
    [header, `blobs/${LOWER.hash}/5/X`],
  ]);
});
