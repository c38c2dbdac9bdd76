import assert from "node:assert/strict";
import { test } from "node:test";
import { compressorsNamed, offeredCompressors } from "../../../src/embedded/compressors.ts";

test("levels have the compressors of their schema", () => {
  const names = (level: Parameters<typeof offeredCompressors>[0]) =>
    offeredCompressors(level).map(({ name }) => name);
  assert.deepEqual(names("2.2"), []);
  assert.deepEqual(names("2.3"), ["ZSTD", "DEFLATE"]);
  assert.deepEqual(names("2.5"), ["ZSTD", "DEFLATE", "BROTLI"]);
});

test("compressors come in the order they are named in, without IDENTITY", () => {
  assert.deepEqual(
    compressorsNamed(["BROTLI", "IDENTITY", "ZSTD"]).map(({ name }) => name),
    ["BROTLI", "ZSTD"],
  );
});
