import assert from "node:assert/strict";
import { test } from "node:test";
import { Uploads } from "../../../src/embedded/services/uploads.ts";
import { MemoryBlobStore } from "../../../src/embedded/store/memory-blob-store.ts";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";
import { digestOf } from "../../../src/wire/hasher.ts";

const CONTENT = Buffer.from("some content");
const DIGEST = digestOf(CONTENT, DIGEST_FUNCTIONS[0]!);
const PAUSED = { finished: () => false, cut: () => true };
const WHOLE = { finished: () => true, cut: () => false };

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes;
}

test("a hundred interrupted uploads are kept; the oldest goes first", async () => {
  const uploads = new Uploads(new MemoryBlobStore());
  for (let n = 0; n < 103; n++)
    await uploads.run(`name ${n}`, DIGEST, 0, once(CONTENT.subarray(0, 4)), PAUSED);
  const committed = [0, 1, 2, 3, 102].map((n) => uploads.committed(`name ${n}`));
  assert.deepEqual(committed, [0, 0, 0, 4, 4]);
  await uploads.stop();
  assert.equal(uploads.committed("name 102"), 0);
});

test("two calls that begin the same upload do not mix: the later has it", async () => {
  const store = new MemoryBlobStore();
  const uploads = new Uploads(store);
  const { promise: go, resolve } = Promise.withResolvers<void>();
  async function* slow(): AsyncIterable<Buffer> {
    yield CONTENT.subarray(0, 4);
    await go;
    yield CONTENT.subarray(4);
  }
  const earlier = uploads.run("name", DIGEST, 0, slow(), WHOLE);
  const later = uploads.run("name", DIGEST, 0, once(CONTENT), WHOLE);
  await later;
  assert.deepEqual(await store.get(DIGEST), CONTENT);
  resolve();
  await assert.rejects(earlier, /another call with the same resource name/);
});

test("what is wrong drops an upload, what is cut off keeps it", async () => {
  const uploads = new Uploads(new MemoryBlobStore());
  const failure = new Error("gone");
  async function* broken(): AsyncIterable<Buffer> {
    yield CONTENT.subarray(0, 4);
    throw failure;
  }
  await assert.rejects(uploads.run("cut", DIGEST, 0, broken(), PAUSED), failure);
  assert.equal(uploads.committed("cut"), 4);
  await assert.rejects(
    uploads.run("cut", DIGEST, 3, once(CONTENT), WHOLE),
    /4 bytes of this upload are stored/,
  );
  await uploads.run("cut", DIGEST, 4, once(CONTENT.subarray(4)), WHOLE);
  await assert.rejects(uploads.run("wrong", DIGEST, 0, broken(), WHOLE), failure);
  assert.equal(uploads.committed("wrong"), 0);
});
