import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { FETCH_BLOB, FETCH_DIRECTORY, PUSH_BLOB } from "../../../src/translators/methods.ts";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";
import { digestOf } from "../../../src/wire/hasher.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

const ASSET = "build.bazel.remote.asset.v1";
const SHA256 = 1;
const SHA1 = 2;
const BLAKE3 = 9;
const CONTENT = Buffer.from("content");
const digestBy = (number: number) => digestOf(CONTENT, DIGEST_FUNCTIONS[number - 1]!);

const newToOld = plan(client(), server({ level: "2.9", digestFunctions: [SHA256, BLAKE3] }));

/** blob_digest (5) with a SHA-256 hash of sixty-four "a" and a size of 1; uri (2) and an unknown field around it. */
const DIGEST = `2a 44 0a 40 ${"61".repeat(64)} 10 01`;

/** An upstream in which a blob has a place of its own for each function, as the calls of one request and its reply see it. */
function upstream() {
  const stores = new Map<number, MemoryUpstream>();
  const portFor = (number: number): MemoryUpstream => {
    const store = stores.get(number) ?? new MemoryUpstream();
    stores.set(number, store);
    return store;
  };
  return { portFor };
}

async function fetched(
  path: string,
  asked: number,
  reply: Buffer,
  pair = newToOld,
  { portFor } = upstream(),
) {
  const current = { ...call(path), portFor };
  const method = pair.methods.get(path)!;
  const request = codec().encode(`${ASSET}.FetchBlobRequest`, { uris: ["u"], digestFunction: asked });
  assert.equal(await editRequest(method, request, current), request);
  return editResponse(method, reply, current);
}

test("given an older server, when it answers, then the reply says the function of its digest, and all else stays", async () => {
  const reply = hex(`12 01 75 ${DIGEST} fa 3e 01 78`);
  for (const asked of [0, SHA256])
    assert.deepEqual(await fetched(FETCH_BLOB, asked, reply), hex(`12 01 75 ${DIGEST} 30 01 fa 3e 01 78`));
  assert.deepEqual(await fetched(FETCH_DIRECTORY, 0, reply), hex(`12 01 75 ${DIGEST} 30 01 fa 3e 01 78`));
});

test("given a reply that says it, or an error, then it is the same buffer", async () => {
  for (const reply of [hex(`${DIGEST} 30 01`), hex("0a 02 08 05 12 01 75"), Buffer.alloc(0)])
    assert.equal(await fetched(FETCH_BLOB, BLAKE3, reply), reply);
});

test("given another function that the upstream has, then the file is read, and stored under it once", async () => {
  const stores = upstream();
  const sha256 = stores.portFor(SHA256).put(CONTENT);
  const blake3 = stores.portFor(BLAKE3);
  blake3.findMissing = async (digests) => digests.filter(({ hash }) => !blake3.blobs.has(hash));
  let writes = 0;
  blake3.writeBlob = async ({ hash }, parts) => {
    writes++;
    const all: Buffer[] = [];
    for await (const part of parts) all.push(part);
    blake3.blobs.set(hash, Buffer.concat(all));
  };
  const reply = codec().encode(`${ASSET}.FetchBlobResponse`, { uri: "u", blobDigest: sha256 });
  for (let round = 0; round < 2; round++) {
    const answer = await fetched(FETCH_BLOB, BLAKE3, reply, newToOld, stores);
    const { hash, sizeBytes } = digestBy(BLAKE3);
    const expected = { uri: "u", blobDigest: { hash, sizeBytes }, digestFunction: BLAKE3 };
    assert.deepEqual(answer, codec().encode(`${ASSET}.FetchBlobResponse`, expected));
    assert.deepEqual(blake3.blobs.get(hash), CONTENT);
  }
  assert.equal(writes, 1);
});

test("given a push of another function than the server would tell by the length, then it is refused; others pass", async () => {
  const method = newToOld.methods.get(PUSH_BLOB)!;
  const pushing = (number: number) => {
    const { hash, sizeBytes } = digestBy(number);
    const fields = { uris: ["u"], blobDigest: { hash, sizeBytes }, digestFunction: number };
    const request = codec().encode(`${ASSET}.PushBlobRequest`, fields);
    return editRequest(method, request, call(PUSH_BLOB)).then((edited) => edited === request);
  };
  assert.equal(await pushing(SHA256), true);
  await assert.rejects(pushing(BLAKE3), /A digest of BLAKE3 to be pushed \(API 2\.10\).*D55/);
  await assert.rejects(pushing(SHA1), /A digest of SHA1 to be pushed/);
});

test("given a newer server, when an older client uses another function than SHA-256, then requests say so", async () => {
  const pair = plan(
    client({ level: "2.9", digestFunctions: [SHA1, SHA256] }),
    server({ digestFunctions: [SHA256, SHA1] }),
  );
  const sent = (path: string, message: Buffer) => editRequest(pair.methods.get(path)!, message, call(path));
  assert.deepEqual(await sent(FETCH_BLOB, hex("22 01 75")), hex("22 01 75 30 02"));
  const said = hex("22 01 75 30 01");
  assert.equal(await sent(FETCH_BLOB, said), said);
  // By its length the server tells SHA-1 itself.
  const pushed = hex(`12 01 75 ${DIGEST}`);
  assert.equal(await sent(PUSH_BLOB, pushed), pushed);
  const lacks = plan(
    client({ level: "2.9", digestFunctions: [SHA1] }),
    server({ digestFunctions: [SHA256] }),
  );
  const plain = hex("22 01 75");
  assert.equal(await editRequest(lacks.methods.get(FETCH_BLOB)!, plain, call(FETCH_BLOB)), plain);
});

test("given a newer server and an older client of SHA-256, or two of one revision, then all is relayed", () => {
  for (const pair of [
    plan(client({ level: "2.9", digestFunctions: [SHA256] }), server()),
    plan(client({ level: "2.9" }), server()),
    plan(client({ level: "2.9" }), server({ level: "2.9" })),
    plan(client(), server()),
  ])
    assert.ok(!pair.methods.get(FETCH_BLOB)?.features.includes("asset-digest-function"));
});
