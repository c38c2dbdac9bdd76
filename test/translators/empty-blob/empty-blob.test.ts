import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { BATCH_READ_BLOBS, EXECUTE, FIND_MISSING_BLOBS } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
const EMPTY = { hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sizeBytes: 0n };
const NOT_EMPTY = { hash: "ab".repeat(32), sizeBytes: 0n };
const OTHER = { hash: "cd".repeat(32), sizeBytes: 3n };

class ReadOnly extends MemoryUpstream {
  override async writeBlobs(): Promise<void> {
    throw new UpstreamError(Status.PERMISSION_DENIED, "read-only");
  }
}

const oldServer = () =>
  plan(client({ level: "2.1", forms: { "empty-blob": { writes: ["implied"] } } }), server({ level: "2.1" }));

const missing = (...digests: object[]) =>
  codec().encode(`${V2}.FindMissingBlobsResponse`, { missingBlobDigests: digests });

function findMissing(answer: Buffer, upstream: MemoryUpstream): Promise<Buffer> {
  return editResponse(
    oldServer().methods.get(FIND_MISSING_BLOBS)!,
    answer,
    call(FIND_MISSING_BLOBS, upstream),
  );
}

test("given a server that misses the empty blob, then the bridge stores it and the client does not hear of it", async () => {
  const upstream = new MemoryUpstream();
  assert.deepEqual(await findMissing(missing(OTHER, EMPTY), upstream), missing(OTHER));
  assert.deepEqual(upstream.blobs.get(`${EMPTY.hash}/0`), Buffer.alloc(0));
});

test("given a wrong hash of size 0, then it is missing like any other blob", async () => {
  const upstream = new MemoryUpstream();
  const answer = missing(NOT_EMPTY, OTHER);
  assert.equal(await findMissing(answer, upstream), answer);
  assert.equal(upstream.blobs.size, 0);
});

test("given a server that takes no blobs, then the client hears the truth", async () => {
  const answer = missing(EMPTY);
  assert.equal(await findMissing(answer, new ReadOnly()), answer);
});

test("given a batch in which the empty blob was not found, then it is there, and the others are as they were", async () => {
  const name = `${V2}.BatchReadBlobsResponse` as const;
  const notFound = { code: Status.NOT_FOUND, message: "no" };
  const answer = codec().encode(name, {
    responses: [
      { digest: EMPTY, status: notFound },
      { digest: OTHER, status: notFound },
    ],
  });
  const method = oldServer().methods.get(BATCH_READ_BLOBS)!;
  assert.deepEqual(
    await editResponse(method, answer, call(BATCH_READ_BLOBS)),
    codec().encode(name, { responses: [{ digest: EMPTY }, { digest: OTHER, status: notFound }] }),
  );
});

test("given an action, then the empty blob is stored before it runs, once for each instance", async () => {
  const method = oldServer().methods.get(EXECUTE)!;
  const request = codec().encode(`${V2}.ExecuteRequest`, { actionDigest: OTHER });
  const upstream = new MemoryUpstream();
  const run = (instance: string) => editRequest(method, request, { ...call(EXECUTE, upstream), instance });
  assert.equal(await run("a"), request);
  assert.ok(upstream.blobs.delete(`${EMPTY.hash}/0`));
  await run("a");
  assert.equal(upstream.blobs.size, 0);
  await run("b");
  assert.equal(upstream.blobs.size, 1);
});

test("given a server that takes no blobs, then the action runs all the same", async () => {
  const request = codec().encode(`${V2}.ExecuteRequest`, { actionDigest: OTHER });
  assert.equal(
    await editRequest(oldServer().methods.get(EXECUTE)!, request, call(EXECUTE, new ReadOnly())),
    request,
  );
});

test("given an older client, then a newer server is called as it is", () => {
  const { methods } = plan(client({ level: "2.1" }), server({ level: "2.2" }));
  assert.ok([...methods.values()].every(({ features }) => !features.includes("empty-blob")));
});

test("given functions that have to be named, then the empty blob is stored under each that the digest may be of", async () => {
  const blake3 = { hash: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262", sizeBytes: 0n };
  const pair = plan(
    client({ level: "2.8" }),
    server({ level: "2.8", digestFunctions: [1, 8, 9], forms: { "empty-blob": { reads: ["stored"] } } }),
  );
  for (const [digestFunction, empty, functions] of [
    [9, blake3, [9]],
    [8, EMPTY, [0, 8]],
  ] as const) {
    const taken: [number, string][] = [];
    const portFor = (number: number) => {
      const upstream = new MemoryUpstream();
      upstream.writeBlobs = async ([blob]) => void taken.push([number, blob!.digest.hash]);
      return upstream;
    };
    const finding = { ...call(FIND_MISSING_BLOBS), port: portFor(0), portFor };
    const method = pair.methods.get(FIND_MISSING_BLOBS)!;
    assert.deepEqual(await editResponse(method, missing(empty, OTHER), finding), missing(OTHER));
    assert.deepEqual(
      taken,
      functions.map((number) => [number, empty.hash]),
    );
    const executing = { ...call(EXECUTE), port: portFor(0), portFor };
    const request = { actionDigest: OTHER, digestFunction };
    await editRequest(pair.methods.get(EXECUTE)!, codec().encode(`${V2}.ExecuteRequest`, request), executing);
    assert.deepEqual(taken.at(-1), [digestFunction, empty.hash]);
  }
});
