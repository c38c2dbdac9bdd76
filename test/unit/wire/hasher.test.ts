import assert from "node:assert/strict";
import { test } from "node:test";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";
import { canHash, createHasher, digestOf } from "../../../src/wire/hasher.ts";

const named = (name: string) => DIGEST_FUNCTIONS.find((each) => each.name === name)!;

test("hashes are those that other programs make", () => {
  // From sha256sum, sha1sum, md5sum and git hash-object, each given "hello\n".
  const known = {
    SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
    SHA1: "f572d396fae9206628714fb2ce00f72e94f2258f",
    MD5: "b1946ac92492d2347c6235b4d2611184",
    GITSHA1: "ce013625030ba8dba906f756967f9e9ca394464a",
  };
  for (const [name, hash] of Object.entries(known)) {
    assert.deepEqual(digestOf(Buffer.from("hello\n"), named(name)), {
      hash,
      sizeBytes: 6,
      digestFunction: named(name),
    });
  }
});

/** What test vectors of both SHA256TREE and BLAKE3 are the hashes of. */
const pattern = Uint8Array.from({ length: 102_400 }, (_, index) => index % 251);

/** The hash of so much of the pattern, given in pieces. */
function hashed(name: string, length: number, piece: number): string {
  const hasher = createHasher(named(name), length);
  for (let at = 0; at < length; at += piece)
    hasher.update(pattern.subarray(at, Math.min(length, at + piece)));
  return hasher.finish();
}

test("SHA256TREE agrees with the test vectors of the API", () => {
  const vectors: [length: number, hash: string][] = [
    [1025, "36c0998b21839ef74300b9de47d96d1f62323dc81f2b4231e98ce70cd6ffe750"],
    [2048, "b584996386f01793751c5cf0c39561f51b7e9924b818943b3cb2f6928cea0fa9"],
    [3072, "dfc61c0a041f79d55d53bfe31c6cda7df77fdc8e6fbac1143d70b7144fdf6937"],
    [7169, "ad729297ab36cd099665b27c4247474a5518e4cd0be443f5f31d95edda08429b"],
    [8192, "fcfdde6fe59178e17708c5ba647919c3b141a44c9d1970782e597e1465266932"],
    [31744, "2cdf7662636c173d4b236f6ea03bf84c65e7f6487b53b2a61c420e26cf8a98c7"],
    [102400, "0668d69e5331840d2f1823d717b7b3f5d1fdc8a09504cddb692b87ff83d50e5f"],
  ];
  for (const [length, expected] of vectors) {
    for (const piece of [length, 1024, 1000])
      assert.equal(hashed("SHA256TREE", length, piece), expected, `${length} bytes in pieces of ${piece}`);
  }
  // Up to 1 KiB it is plain SHA-256.
  for (const length of [0, 1, 1024]) {
    const bytes = pattern.subarray(0, length);
    assert.equal(digestOf(bytes, named("SHA256TREE")).hash, digestOf(bytes, named("SHA256")).hash);
  }
});

test("BLAKE3 agrees with the published test vectors", () => {
  const vectors: [length: number, hash: string][] = [
    [0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
    [1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"],
    [1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"],
    [1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"],
    [1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"],
    [2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"],
    [31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"],
    [102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"],
  ];
  for (const [length, expected] of vectors) {
    for (const piece of [Math.max(length, 1), 1024, 1000])
      assert.equal(hashed("BLAKE3", length, piece), expected, `${length} bytes in pieces of ${piece}`);
  }
});

test("hashes that are made at the same time are none of each other's, and one that is never finished harms none", () => {
  const lengths = [102_400, 5000, 1025, 31_744, 0];
  for (const name of ["BLAKE3", "SHA256TREE"]) {
    const hashers = lengths.map((length) => ({ length, hasher: createHasher(named(name), length) }));
    createHasher(named(name), 9).update(pattern.subarray(0, 9));
    for (let at = 0; at < pattern.length; at += 700) {
      for (const { length, hasher } of hashers)
        if (at < length) hasher.update(pattern.subarray(at, Math.min(length, at + 700)));
    }
    const made = hashers.map(({ hasher }) => hasher.finish());
    assert.deepEqual(
      made,
      lengths.map((length) => hashed(name, length, 102_400)),
      name,
    );
  }
});

test("hashes have the length that is written of their function; a function that cannot be computed is refused", () => {
  const computed = DIGEST_FUNCTIONS.filter(canHash);
  for (const each of computed) assert.equal(digestOf(Buffer.alloc(3), each).hash.length, each.hexDigits);
  assert.equal(computed.length, 8);
  for (const name of ["VSO", "MURMUR3"]) assert.throws(() => createHasher(named(name), 0), RangeError);
});
