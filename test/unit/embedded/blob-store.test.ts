import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  BlobMismatchError,
  BlobMissingError,
  type BlobStore,
} from "../../../src/embedded/store/blob-store.ts";
import { DiskBlobStore } from "../../../src/embedded/store/disk-blob-store.ts";
import { MemoryBlobStore } from "../../../src/embedded/store/memory-blob-store.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../../src/wire/digest-function.ts";
import { digestOf } from "../../../src/wire/hasher.ts";
import { Status } from "../../../src/wire/status.ts";

const functionOf = (name: string): DigestFunction => DIGEST_FUNCTIONS.find((each) => each.name === name)!;
const SHA256 = functionOf("SHA256");
const GITSHA1 = functionOf("GITSHA1");

async function temporary(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "blob-store-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

interface Opened {
  readonly store: BlobStore;
  /** A directory for the test. */
  readonly work: string;
  /** Names of files that are being written. */
  unfinished(): Promise<string[]>;
}

const kinds: Record<string, (t: TestContext) => Promise<Opened>> = {
  async memory(t) {
    return { store: new MemoryBlobStore(), work: await temporary(t), unfinished: async () => [] };
  },
  async disk(t) {
    const work = await temporary(t);
    const scratch = join(work, "tmp");
    await mkdir(scratch);
    return { store: new DiskBlobStore(join(work, "cas"), scratch), work, unfinished: () => readdir(scratch) };
  },
};

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) {
    assert.ok(chunk.length <= 64 * 1024);
    all.push(chunk);
  }
  return Buffer.concat(all);
}

for (const [kind, open] of Object.entries(kinds)) {
  test(`${kind}: what is taken out is gone, and may come back`, async (t) => {
    const { store } = await open(t);
    const bytes = Buffer.from("here today");
    const digest = digestOf(bytes, SHA256);
    assert.equal(await store.delete(digest), false);
    await store.put(digest, bytes);
    assert.equal(await store.delete(digest), true);
    assert.deepEqual([await store.has(digest), await store.get(digest)], [false, null]);
    await store.put(digest, bytes);
    assert.deepEqual(await store.get(digest), bytes);
  });

  test(`${kind}: what is put is there, as a whole, in parts and as a file`, async (t) => {
    const { store, work, unfinished } = await open(t);
    const bytes = randomBytes(200_000);
    const digest = digestOf(bytes, SHA256);
    assert.equal(await store.has(digest), false);
    assert.equal(await store.get(digest), null);
    await store.put(digest, bytes);
    await store.put(digest, bytes);
    assert.equal(await store.has(digest), true);
    assert.deepEqual(await store.get(digest), bytes);
    assert.deepEqual(await bytesOf(store.read(digest, 0, Number.POSITIVE_INFINITY)), bytes);
    assert.deepEqual(await bytesOf(store.read(digest, 65_000, 70_000)), bytes.subarray(65_000, 135_000));
    assert.deepEqual(await bytesOf(store.read(digest, 200_000, 5)), Buffer.alloc(0));
    assert.deepEqual(await bytesOf(store.read(digest, 5, 0)), Buffer.alloc(0));
    const copy = join(work, "copy");
    assert.equal(await store.copyTo(digest, copy, 0o755), true);
    assert.deepEqual(await readFile(copy), bytes);
    assert.equal((await stat(copy)).mode & 0o777, 0o755);
    await writeFile(copy, "changed");
    assert.deepEqual(await store.get(digest), bytes);
    assert.deepEqual(await unfinished(), []);
  });

  test(`${kind}: size and digest function are parts of the name`, async (t) => {
    const { store, work } = await open(t);
    const bytes = Buffer.from("content");
    const digest = digestOf(bytes, SHA256);
    await store.put(digest, bytes);
    for (const other of [
      { ...digest, sizeBytes: 8 },
      { ...digest, digestFunction: functionOf("BLAKE3") },
    ]) {
      assert.equal(await store.has(other), false);
      assert.equal(await store.copyTo(other, join(work, "none"), 0o644), false);
      await assert.rejects(bytesOf(store.read(other, 0, 1)), BlobMissingError);
    }
    assert.deepEqual((await readdir(work)).includes("none"), false);
  });

  test(`${kind}: bytes that are not those of the digest are refused and leave nothing`, async (t) => {
    const { store, unfinished } = await open(t);
    const digest = digestOf(Buffer.from("right"), SHA256);
    await assert.rejects(store.put(digest, Buffer.from("wrong")), BlobMismatchError);
    await assert.rejects(store.put(digest, Buffer.from("right!")), BlobMismatchError);
    for (const text of ["wrong", "rig"]) {
      const write = store.write(digest);
      await write.append(Buffer.from(text));
      await assert.rejects(write.finish(), BlobMismatchError);
      await write.abort();
    }
    const write = store.write(digest);
    await assert.rejects(write.append(Buffer.from("right!")), BlobMismatchError);
    await write.abort();
    assert.equal(await store.has(digest), false);
    assert.deepEqual(await unfinished(), []);
  });

  test(`${kind}: a written blob is seen when it is finished, not before, and also if two write it`, async (t) => {
    const { store, unfinished } = await open(t);
    const bytes = Buffer.from("in two pieces");
    const digest = digestOf(bytes, GITSHA1);
    const [one, two] = [store.write(digest), store.write(digest)];
    for (const write of [one, two]) {
      await write.append(bytes.subarray(0, 6));
      await write.append(bytes.subarray(6));
    }
    assert.equal(await store.has(digest), false);
    await one.finish();
    assert.deepEqual(await store.get(digest), bytes);
    await two.finish();
    await one.abort();
    assert.deepEqual(await store.get(digest), bytes);
    assert.deepEqual(await unfinished(), []);
  });

  test(`${kind}: a write that was aborted stays so`, async (t) => {
    const { store, unfinished } = await open(t);
    const bytes = Buffer.from("in two pieces");
    const digest = digestOf(bytes, SHA256);
    const write = store.write(digest);
    await write.append(bytes.subarray(0, 6));
    await write.abort();
    await assert.rejects(write.append(bytes.subarray(6)));
    await assert.rejects(write.finish());
    assert.equal(await store.has(digest), false);
    assert.deepEqual(await unfinished(), []);
  });

  test(`${kind}: no blob is taken into memory as a whole that is larger than any message`, async (t) => {
    const { store } = await open(t);
    const digest = { ...digestOf(Buffer.alloc(0), SHA256), sizeBytes: 64 * 1024 * 1024 + 1 };
    await assert.rejects(store.get(digest), { name: "CallError", code: Status.INVALID_ARGUMENT });
  });

  test(`${kind}: empty blobs are blobs`, async (t) => {
    const { store } = await open(t);
    const digest = digestOf(Buffer.alloc(0), SHA256);
    await store.write(digest).finish();
    assert.deepEqual(await store.get(digest), Buffer.alloc(0));
    assert.deepEqual(await bytesOf(store.read(digest, 0, Number.POSITIVE_INFINITY)), Buffer.alloc(0));
  });

  test(`${kind}: a file is stored under its digest, and stays`, async (t) => {
    const { store, work } = await open(t);
    const bytes = randomBytes(150_000);
    const path = join(work, "file");
    await writeFile(path, bytes);
    for (const digestFunction of [SHA256, GITSHA1]) {
      assert.deepEqual(await store.putFile(path, digestFunction), digestOf(bytes, digestFunction));
      assert.deepEqual(await store.get(digestOf(bytes, digestFunction)), bytes);
    }
    assert.deepEqual(await readFile(path), bytes);
    await assert.rejects(store.putFile(join(work, "absent"), SHA256), { code: "ENOENT" });
  });
}
