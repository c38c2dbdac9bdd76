import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  compressBytes,
  compressed,
  decompressBytes,
  decompressed,
  offeredCompressors,
} from "../../../src/embedded/compressors.ts";
import { Status } from "../../../src/wire/status.ts";

const INVALID = { name: "CallError", code: Status.INVALID_ARGUMENT };

async function* chunksOf(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

test("levels have the compressors of their schema", () => {
  const names = (level: Parameters<typeof offeredCompressors>[0]) =>
    offeredCompressors(level).map(({ name }) => name);
  assert.deepEqual(names("2.2"), []);
  assert.deepEqual(names("2.3"), ["ZSTD", "DEFLATE"]);
  assert.deepEqual(names("2.5"), ["ZSTD", "DEFLATE", "BROTLI"]);
});

for (const compressor of offeredCompressors("main")) {
  test(`${compressor.name}: comes back as it was, however it is cut`, async () => {
    for (const plain of [
      Buffer.alloc(0),
      Buffer.from("x"),
      Buffer.alloc(300_000, "ab"),
      randomBytes(300_000),
    ]) {
      const packed = await bytesOf(compressed(compressor, chunksOf(plain, 7_001)));
      assert.deepEqual(await bytesOf(decompressed(compressor, chunksOf(packed, 1_013))), plain);
      assert.deepEqual(
        await decompressBytes(compressor, await compressBytes(compressor, plain), plain.length),
        plain,
      );
    }
  });

  test(`${compressor.name}: data that are cut short, none or too many are refused`, async () => {
    const plain = randomBytes(1_000);
    const packed = await compressBytes(compressor, plain);
    await assert.rejects(decompressBytes(compressor, packed.subarray(0, -1), 1_000), INVALID);
    await assert.rejects(decompressBytes(compressor, Buffer.alloc(0), 1_000), INVALID);
    await assert.rejects(decompressBytes(compressor, packed, 999), INVALID);
  });

  test(`${compressor.name}: what fails at the source fails as itself`, async () => {
    const failure = new Error("the client has gone");
    const packed = await compressBytes(compressor, randomBytes(1_000));
    async function* broken(): AsyncIterable<Buffer> {
      yield packed.subarray(0, 100);
      throw failure;
    }
    await assert.rejects(bytesOf(compressed(compressor, broken())), failure);
    await assert.rejects(bytesOf(decompressed(compressor, broken())), failure);
  });

  test(`${compressor.name}: a source that is not read to its end is closed`, async () => {
    let closed = false;
    async function* endless(): AsyncIterable<Buffer> {
      try {
        for (;;) yield randomBytes(50_000);
      } finally {
        closed = true;
      }
    }
    for await (const chunk of compressed(compressor, endless())) if (chunk.length > 0) break;
    // The source is told in its own time.
    while (!closed) await new Promise(setImmediate);
  });
}
