import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { chunkSizes, cut, firstChunk } from "../../../src/wire/fast-cdc.ts";

/** Bytes without a pattern, the same each time: SHA-256 of 0, 1, 2 … */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, n) =>
    createHash("sha256").update(String(n)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

async function* inPieces(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function chunksOf(bytes: Buffer, average: number, pieces = 10_000): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of cut(inPieces(bytes, pieces), chunkSizes(average))) chunks.push(chunk);
  return chunks;
}

/**
 * Lengths of chunks as another implementation has them: the crate fastcdc 3.2.1 with normalisation level 2 and seed 0, which is the reference for the test vectors
 * of the API. Those have a picture of 109,466 bytes for input, which this code agreed with as well.
 */
const VECTORS = [
  [
    30_000,
    1_024,
    [
      462, 1482, 369, 1669, 1058, 1088, 1137, 695, 670, 1243, 1611, 1119, 1284, 1348, 1368, 805, 1805, 1316,
      1201, 1308, 761, 1183, 1318, 1157, 1307, 1131, 105,
    ],
  ],
  [200_000, 16_384, [17408, 28564, 17570, 14103, 22052, 16451, 13004, 16806, 21075, 18984, 9986, 3997]],
  [600_000, 65_536, [81132, 90438, 24433, 76909, 69675, 94399, 78257, 72796, 11961]],
  [
    9_000_000,
    524_288,
    [
      665189, 617992, 549416, 551400, 537721, 529168, 884673, 594561, 544207, 725857, 378868, 783339, 525419,
      591853, 520337,
    ],
  ],
] as const;

for (const [length, average, lengths] of VECTORS) {
  test(`cuts of ${length} bytes by an average of ${average} are where another implementation has them`, async () => {
    const chunks = await chunksOf(noise(length), average, 100_000);
    assert.deepEqual(
      chunks.map((chunk) => chunk.length),
      lengths,
    );
  });
}

test("chunks are within their sizes and make the whole, however the input is cut", async () => {
  for (const average of [1_024, 4_096, 65_536]) {
    const bytes = noise(600_000);
    const chunks = await chunksOf(bytes, average);
    assert.deepEqual(Buffer.concat(chunks), bytes);
    const { min, max } = chunkSizes(average);
    for (const { length } of chunks.slice(0, -1)) assert.ok(length >= min && length <= max, String(length));
    for (const pieces of [1_001, 600_000]) assert.deepEqual(await chunksOf(bytes, average, pieces), chunks);
    const mean = bytes.length / chunks.length;
    assert.ok(mean > average / 2 && mean < average * 2, `the mean is ${mean}`);
  }
});

test("a change in the middle leaves most chunks as they were", async () => {
  const bytes = noise(500_000);
  const changed = Buffer.concat([
    bytes.subarray(0, 250_000),
    Buffer.from("inserted"),
    bytes.subarray(250_000),
  ]);
  const before = new Set((await chunksOf(bytes, 4_096)).map((chunk) => chunk.toString("latin1")));
  const after = await chunksOf(changed, 4_096);
  const fresh = after.filter((chunk) => !before.has(chunk.toString("latin1")));
  assert.ok(fresh.length <= 4, `${fresh.length} of ${after.length} chunks are new`);
});

test("short and uniform input is cut by size alone", async () => {
  const sizes = chunkSizes(1_024);
  assert.equal(firstChunk(Buffer.alloc(0), sizes), 0);
  assert.equal(firstChunk(noise(256), sizes), 256);
  assert.deepEqual(await chunksOf(Buffer.alloc(0), 1_024), []);
  const zeros = await chunksOf(Buffer.alloc(10_000), 1_024);
  assert.deepEqual(
    zeros.map(({ length }) => length),
    [4_096, 4_096, 1_808],
  );
});

test("averages that the API does not have are refused", () => {
  for (const average of [512, 1_500, 2 ** 21, Number.NaN])
    assert.throws(() => chunkSizes(average), RangeError);
  assert.deepEqual(chunkSizes(2 ** 20), { min: 2 ** 18, average: 2 ** 20, max: 2 ** 22 });
});
