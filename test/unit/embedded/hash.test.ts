import assert from "node:assert/strict";
import { test } from "node:test";
import { createHasher, digestOf, offeredFunctions } from "../../../src/embedded/store/hash.ts";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";

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

test("a level offers the functions of its schema that can be computed, SHA256 first", () => {
  const names = (level: Parameters<typeof offeredFunctions>[0]) =>
    offeredFunctions(level).map(({ name }) => name);
  assert.deepEqual(names("2018-11"), ["SHA256", "SHA1", "MD5"]);
  assert.deepEqual(names("2.0"), ["SHA256", "SHA1", "MD5", "SHA384", "SHA512"]);
  assert.deepEqual(names("2.12"), ["SHA256", "SHA1", "MD5", "SHA384", "SHA512", "GITSHA1"]);
});

test("every offered function makes hashes of the length that is written of it; others are refused", () => {
  for (const each of offeredFunctions("main"))
    assert.equal(digestOf(Buffer.alloc(3), each).hash.length, each.hexDigits);
  assert.throws(() => createHasher(named("BLAKE3"), 0), RangeError);
});
