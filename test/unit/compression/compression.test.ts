import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { deflateRawSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import {
  COMPRESSORS,
  compressorByNumber,
  compressorBySegment,
  compressorNamed,
  IDENTITY,
} from "../../../src/compression/compressors.ts";
import { decode, decodeBytes } from "../../../src/compression/decode.ts";
import { encode, encodeBytes } from "../../../src/compression/encode.ts";

const ZSTD = compressorNamed("ZSTD");

/** What decoders of zstd skip. */
const SKIPPED = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from("notes")]);

function broken(problem: string) {
  return { name: "CompressionError", problem };
}

async function all(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const part of parts) {
    assert.ok(part.length <= 256 * 1024);
    pieces.push(part);
  }
  return Buffer.concat(pieces);
}

/** The bytes, cut after each of these lengths in turn. */
function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

const lengths = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 });
/** Bytes of all kinds of density. */
const blob = fc
  .tuple(fc.nat(150_000), fc.constantFrom(1, 2, 16, 256))
  .map(([size, letters]) => Buffer.from(randomBytes(size).map((byte) => byte % letters)));

test("compressors have the numbers and names of the API, and names of blobs spell them in lower case", () => {
  assert.deepEqual(
    [IDENTITY, ...COMPRESSORS].map(({ name, number }) => [name, number]),
    [
      ["IDENTITY", 0],
      ["ZSTD", 1],
      ["DEFLATE", 2],
      ["BROTLI", 3],
    ],
  );
  assert.equal(compressorByNumber(3)?.name, "BROTLI");
  assert.equal(compressorByNumber(4), null);
  assert.equal(compressorBySegment("zstd"), ZSTD);
  for (const none of ["identity", "ZSTD", "gzip", ""]) assert.equal(compressorBySegment(none), null);
  assert.throws(() => compressorNamed("GZIP"), TypeError);
});

test("IDENTITY leaves bytes as they are, and holds to the bound", async () => {
  const bytes = Buffer.from("as it is");
  assert.equal(await encodeBytes(IDENTITY, bytes), bytes);
  assert.equal(await decodeBytes(IDENTITY, bytes, bytes.length), bytes);
  await assert.rejects(decodeBytes(IDENTITY, bytes, bytes.length - 1), broken("too-long"));
});

for (const compressor of COMPRESSORS) {
  test(`${compressor.name}: any bytes come back, however they are cut`, async () => {
    await fc.assert(
      fc.asyncProperty(blob, lengths, lengths, async (plain, cuts, packedCuts) => {
        const packed = await all(encode(compressor, cut(plain, cuts)));
        const back = await all(decode(compressor, cut(packed, packedCuts), plain.length));
        assert.ok(back.equals(plain));
      }),
      { numRuns: 40 },
    );
  });

  test(`${compressor.name}: wherever the data are cut off, they are refused`, async () => {
    const packed = await encodeBytes(
      compressor,
      Buffer.concat([Buffer.alloc(2_000, "ab"), randomBytes(200)]),
    );
    for (let length = 0; length < packed.length; length++) {
      const short = packed.subarray(0, length);
      await assert.rejects(decodeBytes(compressor, short, 10_000), broken("truncated"), `at ${length}`);
    }
  });

  test(`${compressor.name}: what follows the end is refused, in the same part or in another`, async () => {
    const packed = await encodeBytes(compressor, Buffer.alloc(1_000, "ab"));
    for (const tail of ["g", "garbage", "\0", "\x28", "\x28\xb5\x2f"].map((text) =>
      Buffer.from(text, "latin1"),
    )) {
      await assert.rejects(decodeBytes(compressor, Buffer.concat([packed, tail]), 9_000), {
        name: "CompressionError",
      });
      await assert.rejects(all(decode(compressor, [packed, ...cut(tail, [1])], 9_000)), {
        name: "CompressionError",
      });
    }
    await assert.rejects(
      all(decode(compressor, [packed, Buffer.from("garbage")], 9_000)),
      broken("trailing"),
    );
  });

  test(`${compressor.name}: other data are refused`, async () => {
    await assert.rejects(
      decodeBytes(compressor, Buffer.from("qwertyuiopasdfghjklzxcvbnm"), 9_000),
      broken("broken"),
    );
  });

  test(`${compressor.name}: a bomb is stopped at the first piece above the bound`, async () => {
    const packed = await encodeBytes(compressor, Buffer.alloc(20_000_000));
    let seen = 0;
    await assert.rejects(async () => {
      for await (const piece of decode(compressor, [packed], 1_000_000)) seen += piece.length;
    }, broken("too-long"));
    assert.ok(seen <= 1_000_000);
  });

  test(`${compressor.name}: what fails at the source fails as itself, and a reader that stops ends the source`, async () => {
    const failure = new Error("the client has gone");
    const packed = await encodeBytes(compressor, randomBytes(300_000));
    let ended = 0;
    async function* source(fails: boolean): AsyncGenerator<Buffer> {
      try {
        yield packed.subarray(0, 200_000);
        if (fails) throw failure;
        yield packed.subarray(200_000);
      } finally {
        ended++;
      }
    }
    for (const work of [encode(compressor, source(true)), decode(compressor, source(true), 300_000)]) {
      await assert.rejects(all(work), failure);
    }
    for (const work of [encode(compressor, source(false)), decode(compressor, source(false), 300_000)]) {
      for await (const _ of work) break;
    }
    assert.equal(ended, 4);
  });

  test(`${compressor.name}: the event loop goes on meanwhile`, async () => {
    const part = Buffer.alloc(8_000_000, randomBytes(4_000));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const packed = await all(encode(compressor, [part]));
    await all(decode(compressor, [packed], part.length));
    delay.disable();
    assert.ok(delay.percentile(90) < 30e6, `${delay.percentile(90) / 1e6} ms`);
  });
}

test("ZSTD: several frames, and frames to be skipped, are one blob", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(blob, fc.boolean()), { maxLength: 4 }),
      lengths,
      async (frames, cuts) => {
        const plain = Buffer.concat(frames.map(([bytes]) => bytes));
        const packed = Buffer.concat(
          frames.flatMap(([bytes, skips]) => [...(skips ? [SKIPPED] : []), zstdCompressSync(bytes)]),
        );
        const back = all(decode(ZSTD, cut(Buffer.concat([packed, SKIPPED]), cuts), plain.length));
        assert.ok((await back).equals(plain));
      },
    ),
    { numRuns: 40 },
  );
});

test("DEFLATE and BROTLI: a second stream in a row is no part of the blob", async () => {
  const packed = deflateRawSync(Buffer.from("once"));
  await assert.rejects(
    decodeBytes(compressorNamed("DEFLATE"), Buffer.concat([packed, packed]), 100),
    broken("trailing"),
  );
});

test("ZSTD: what needs a window above 8 MiB is refused", async () => {
  // A frame of one block that asks for a window of 128 MiB.
  const frame = Buffer.from("28b52ffd0088010000", "hex");
  await assert.rejects(decodeBytes(ZSTD, frame, 100), broken("broken"));
});

const cli = spawnSync("zstd", ["--version"]);
test("ZSTD: the command line reads what is written here, and the reverse", {
  skip: cli.status === 0 ? false : "there is no zstd command",
}, async () => {
  const plain = Buffer.concat([randomBytes(300_000), Buffer.alloc(3_000_000, "line\n")]);
  const packed = await encodeBytes(ZSTD, plain);
  const options = { input: packed, maxBuffer: 1 << 24 };
  assert.ok(spawnSync("zstd", ["-dc"], options).stdout.equals(plain));
  for (const level of ["-1", "-19"]) {
    const theirs = spawnSync("zstd", ["-c", level], { input: plain, maxBuffer: 1 << 24 }).stdout;
    assert.ok((await all(decode(ZSTD, cut(theirs, [1_000, 65_536]), plain.length))).equals(plain));
  }
});
