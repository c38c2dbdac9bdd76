import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { inParts, NAMES, StreamedBlob, streaming, unpacked } from "../streams.ts";

// Given a client that compresses, and a server that cannot.

const KIB = 1024;
/** Half of it compresses well. */
const content = (size: number): Buffer =>
  Buffer.concat([randomBytes(Math.ceil(size / 2)), Buffer.alloc(Math.floor(size / 2), "line\n")]);

for (const compressor of NAMES) {
  for (const size of [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 5 * KIB * KIB]) {
    test(`given a server without compression, then ${size} bytes go up and down as ${compressor}`, async (t) => {
      const { direct, bridged } = await streaming(t, { server: "2.2" });
      const blob = new StreamedBlob(content(size));
      const packed = await blob.packed(compressor);
      const committed = await bridged.write(blob.write(compressor), inParts(packed, 100_000));
      assert.equal(committed, packed.length);
      assert.ok((await direct.read(blob.read())).equals(blob.bytes));
      const read = await bridged.read(blob.read(compressor));
      assert.ok((await unpacked(compressor, read, size)).equals(blob.bytes));
    });
  }
}
