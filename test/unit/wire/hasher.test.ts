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

test("SHA256TREE agrees with the test vectors of the API", () => {
  const pattern = Uint8Array.from({ length: 102_400 }, (_, index) => index % 251);
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
    for (const piece of [length, 1024, 1000]) {
      const hasher = createHasher(named("SHA256TREE"), length);
      for (let at = 0; at < length; at += piece)
        hasher.update(pattern.subarray(at, Math.min(length, at + piece)));
      assert.equal(hasher.finish(), expected, `${length} bytes in pieces of ${piece}`);
    }
  }
  // Up to 1 KiB it is plain SHA-256.
  for (const length of [0, 1, 1024]) {
    const bytes = pattern.subarray(0, length);
    assert.equal(digestOf(bytes, named("SHA256TREE")).hash, digestOf(bytes, named("SHA256")).hash);
  }
});

test("hashes have the length that is written of their function; a function that cannot be computed is refused", () => {
  const computed = DIGEST_FUNCTIONS.filter(canHash);
  for (const each of computed) assert.equal(digestOf(Buffer.alloc(3), each).hash.length, each.hexDigits);
  assert.equal(computed.length, 7);
  assert.throws(() => createHasher(named("BLAKE3"), 0), RangeError);
});
