import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { editMetadata, editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec } from "../../../src/spec/codec.ts";
import { QUERY_WRITE_STATUS, READ, WRITE } from "../../../src/translators/methods.ts";
import { call, client, plan, server } from "../support.ts";

const HEADER = "build.bazel.remote.execution.v2.resource-name";
const BLAKE3 = 9;
const SHA256 = 1;
const SHA1 = 2;
const SHA256TREE = 8;
const ALL = [SHA256, SHA1, BLAKE3, SHA256TREE];
const HASH = "ab".repeat(32);
const SHA1_HASH = "cd".repeat(20);

const reading = (resourceName: string): Buffer =>
  codec().encode("google.bytestream.ReadRequest", { resourceName, readOffset: 5n });

/** The name that the server reads; the request is the very same buffer where it is the client's. */
async function named(pair: Plan, name: string): Promise<string> {
  const method = pair.methods.get(READ);
  const request = reading(name);
  const edited = method === undefined ? request : await editRequest(method, request, call(READ));
  if (edited.equals(request)) assert.equal(edited, request);
  const { resourceName, readOffset } = codec().decode("google.bytestream.ReadRequest", edited);
  assert.equal(readOffset, 5n);
  return resourceName;
}

const toOld = plan(client(), server({ level: "2.4" }));

test("given a newer client that names one of the first seven functions, then an older server reads the name without it", async () => {
  assert.equal(await named(toOld, `main/blobs/sha256/${HASH}/7`), `main/blobs/${HASH}/7`);
  assert.equal(await named(toOld, `blobs/sha1/${SHA1_HASH}/0`), `blobs/${SHA1_HASH}/0`);
});

test("given text after the size, a compressed name or an upload, then they stay as they were", async () => {
  assert.equal(
    await named(toOld, `/a/b/uploads/1-2/blobs/sha256/${HASH}/7/foo/blobs/md5/x`),
    `/a/b/uploads/1-2/blobs/${HASH}/7/foo/blobs/md5/x`,
  );
  const plain = plan(client(), server({ level: "2.4", forms: { "resource-names": { reads: ["plain"] } } }));
  assert.equal(
    await named(plain, `compressed-blobs/zstd/sha256/${HASH}/7`),
    `compressed-blobs/zstd/${HASH}/7`,
  );
});

test("given names without a segment, or none of blobs, then they pass untouched", async () => {
  for (const name of [`blobs/${HASH}/7`, `streams/blobs/sha256/${HASH}`, `sha256/blobs/${HASH}/7`, ""]) {
    assert.equal(await named(toOld, name), name);
  }
});

test("given the header that repeats the name, then it follows", () => {
  const entries = [
    ["te", "trailers"],
    [HEADER, `blobs/sha256/${HASH}/7`],
  ] as const;
  assert.deepEqual(editMetadata(toOld, entries), [
    ["te", "trailers"],
    [HEADER, `blobs/${HASH}/7`],
  ]);
  const other = [[HEADER, `blobs/${HASH}/7`]] as const;
  assert.equal(editMetadata(toOld, other), other);
});

test("given such a pair, then the calls stay in the relay lane", () => {
  const bytes = codec().encode("google.bytestream.ReadRequest", { resourceName: `blobs/sha256/${HASH}/7` });
  for (const path of [READ, WRITE, QUERY_WRITE_STATUS])
    assert.equal(
      toOld.methods.get(path)?.opens?.({ bytes, whole: true, length: bytes.length }) ?? false,
      false,
      path,
    );
});

test("given a server of the newer grammar, then names pass as they are", async () => {
  const name = `blobs/sha256/${HASH}/7`;
  assert.equal(await named(plan(client(), server({ level: "2.5" })), name), name);
});

test("given a profile that says the server reads no segment, then its version does not count", async () => {
  const pair = plan(client(), server({ level: "2.11", forms: { "resource-names": { reads: ["plain"] } } }));
  assert.equal(await named(pair, `blobs/sha256/${HASH}/7`), `blobs/${HASH}/7`);
});

test("given an older client of BLAKE3 alone and a newer server with several functions, then the segment is added", async () => {
  const blake3 = client({ level: "2.3", digestFunctions: [BLAKE3] });
  const pair = plan(blake3, server({ digestFunctions: [SHA256, BLAKE3] }));
  assert.equal(await named(pair, `main/blobs/${HASH}/7/x`), `main/blobs/blake3/${HASH}/7/x`);
  const edited = `main/blobs/blake3/${HASH}/7/x`;
  assert.equal(await named(pair, edited), edited);
  assert.equal(await named(pair, `blobs/${SHA1_HASH}/7`), `blobs/${SHA1_HASH}/7`);
});

test("given a client that may mean either, or a server of which nothing is known, then nothing is guessed", async () => {
  const name = `blobs/${HASH}/7`;
  const both = client({ level: "2.3", digestFunctions: [SHA256, BLAKE3] });
  assert.equal(await named(plan(both, server({ digestFunctions: [SHA256, BLAKE3] })), name), name);
  const blake3 = client({ level: "2.3", digestFunctions: [BLAKE3] });
  assert.equal(await named(plan(blake3, server()), name), name);
});

test("given a client of BLAKE3 and SHA1, then only what has to be named is, and so it is for one of a later level", async () => {
  const pair = plan(
    client({ level: "2.3", digestFunctions: [BLAKE3, SHA1] }),
    server({ digestFunctions: ALL }),
  );
  assert.equal(await named(pair, `blobs/${HASH}/7`), `blobs/blake3/${HASH}/7`);
  assert.equal(await named(pair, `blobs/${SHA1_HASH}/7`), `blobs/${SHA1_HASH}/7`);
  const forms = { "digest-function-field": { writes: ["unset"] } };
  const later = client({ level: "2.12", digestFunctions: [BLAKE3], forms });
  assert.equal(
    await named(plan(later, server({ digestFunctions: ALL })), `blobs/${HASH}/7`),
    `blobs/blake3/${HASH}/7`,
  );
});

test("given a client that can only mean BLAKE3 and a server without, then names are refused with what there is", async () => {
  const blake3 = client({ level: "2.3", digestFunctions: [BLAKE3] });
  for (const offered of [[SHA256], [SHA256, SHA256TREE]]) {
    const pair = plan(blake3, server({ digestFunctions: offered }));
    await assert.rejects(named(pair, `blobs/${HASH}/7`), (error) => {
      assert.ok(error instanceof BridgeError);
      assert.equal(error.facts.code, "digest-function-unsupported");
      assert.match(error.message, /BLAKE3.*the upstream "the server".* has SHA256/);
      return true;
    });
  }
});

test("a second time changes nothing", async () => {
  const once = await named(toOld, `main/blobs/sha256/${HASH}/7`);
  assert.equal(await named(toOld, once), once);
});
