import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkDigest,
  encodeDigest,
  formatDigest,
  parseDigest,
  parseSize,
  readDigest,
} from "../../../src/wire/digest.ts";
import {
  DIGEST_FUNCTIONS,
  digestFunctionByNumber,
  digestFunctionBySegment,
  inferDigestFunction,
} from "../../../src/wire/digest-function.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { hex, wireError } from "./support.ts";

const SHA256 = digestFunctionByNumber(1)!;
const HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("the functions stand at their numbers, with the lengths of drift.md 6.4", () => {
  assert.deepEqual(
    DIGEST_FUNCTIONS.map((f, i) => [f.number - i, f.name, f.hexDigits, f.segment]),
    [
      [1, "SHA256", 64, "sha256"],
      [1, "SHA1", 40, "sha1"],
      [1, "MD5", 32, "md5"],
      [1, "VSO", 66, "vso"],
      [1, "SHA384", 96, "sha384"],
      [1, "SHA512", 128, "sha512"],
      [1, "MURMUR3", 32, "murmur3"],
      [1, "SHA256TREE", 64, "sha256tree"],
      [1, "BLAKE3", 64, "blake3"],
      [1, "GITSHA1", 40, "gitsha1"],
    ],
  );
});

test("finds functions by number and by name", () => {
  assert.equal(digestFunctionByNumber(0), undefined);
  assert.equal(digestFunctionByNumber(11), undefined);
  assert.equal(digestFunctionByNumber(9)?.name, "BLAKE3");
  assert.equal(digestFunctionBySegment("blake3")?.number, 9);
  assert.equal(digestFunctionBySegment("BLAKE3"), undefined);
});

test("infers a function only where it may be left out", () => {
  assert.equal(inferDigestFunction(64, [1, 9])?.name, "SHA256");
  assert.equal(inferDigestFunction(64, [9, 8, 1])?.name, "SHA256");
  assert.equal(inferDigestFunction(64, [9]), null);
  assert.equal(inferDigestFunction(40, [10]), null);
  assert.equal(inferDigestFunction(32, [7, 3])?.name, "MURMUR3");
  assert.equal(inferDigestFunction(32, [3, 7])?.name, "MD5");
  assert.equal(inferDigestFunction(42, [1, 2, 3]), null);
  assert.equal(inferDigestFunction(64, [99, 1])?.name, "SHA256");
});

test("reads and writes hash/size", () => {
  const digest = { hash: HASH, sizeBytes: 12 };
  assert.deepEqual(parseDigest(`${HASH}/12`, SHA256), digest);
  assert.equal(formatDigest(digest), `${HASH}/12`);
});

test("a hash of any function's length is accepted where no function is known", () => {
  for (const f of DIGEST_FUNCTIONS) checkDigest({ hash: "a".repeat(f.hexDigits), sizeBytes: 0 });
});

for (const [hash, message] of [
  ["", /"" is not hexadecimal/],
  [HASH.toUpperCase(), /"E3B0C44298FC.*upper-case/],
  [`${HASH.slice(1)}g`, /not hexadecimal/],
  [HASH.slice(1), /63 digits; no digest function/],
  ["a".repeat(42), /42 digits/],
  [`${HASH}\n`, /not hexadecimal/],
  ["a".repeat(5000), /^.{1,250}$/],
] as const) {
  test(`refuses the hash ${JSON.stringify(hash.slice(0, 20))}… of ${hash.length}, and shows it as received`, () => {
    assert.throws(() => checkDigest({ hash, sizeBytes: 1 }), wireError("digest-hash", message));
  });
}

test("refuses a hash of another function's length", () => {
  const digest = { hash: "a".repeat(40), sizeBytes: 1 };
  checkDigest(digest);
  assert.throws(() => checkDigest(digest, SHA256), wireError("digest-hash", /40 digits; SHA256 has 64/));
});

for (const size of [
  "",
  "-1",
  "+1",
  "01",
  "1.0",
  "1e3",
  " 1",
  "1\n",
  "0x1",
  "9007199254740992",
  "1".repeat(400),
]) {
  test(`refuses the size ${JSON.stringify(size.slice(0, 20))}`, () => {
    assert.throws(() => parseSize(size), wireError("digest-size", /not a blob size/));
  });
}

test("accepts sizes from 0 to 2^53-1", () => {
  assert.equal(parseSize("0"), 0);
  assert.equal(parseSize("9007199254740991"), Number.MAX_SAFE_INTEGER);
});

test("refuses a digest without a size, and sizes no number can be", () => {
  assert.throws(() => parseDigest(HASH), wireError("digest-size", /no "\/"/));
  for (const sizeBytes of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => checkDigest({ hash: HASH, sizeBytes }), wireError("digest-size"));
  }
});

test("reads and writes the message in canonical form", () => {
  const bytes = encodeDigest({ hash: "ab", sizeBytes: 300 });
  assert.deepEqual(bytes, hex("0a 02 6162 10 ac02"));
  assert.deepEqual(readDigest(new Walker(bytes)), { hash: "ab", sizeBytes: 300 });
  assert.deepEqual(encodeDigest({ hash: "", sizeBytes: 0 }), Buffer.alloc(0));
  assert.deepEqual(readDigest(new Walker(Buffer.alloc(0))), { hash: "", sizeBytes: 0 });
});

test("a message takes the last of repeated fields and passes over unknown ones", () => {
  assert.deepEqual(readDigest(new Walker(hex("0a0161 0a0162 1001 1002 1a0163"))), {
    hash: "b",
    sizeBytes: 2,
  });
});

test("refuses a message with a size that is negative, or of another type", () => {
  assert.throws(() => readDigest(new Walker(hex("10 ffffffffffffffffff01"))), wireError("digest-size", /-1/));
  assert.throws(() => readDigest(new Walker(hex("12 01 31"))), wireError("wire-type"));
});
