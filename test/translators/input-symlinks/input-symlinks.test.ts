import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codec } from "../../../src/spec/codec.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { joined } from "../../../src/wire/rewrite.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server, steps } from "../support.ts";

const NAME = "build.bazel.remote.execution.v2.Directory";
const strict = plan(client(), server({ forms: { "input-symlinks": { reads: ["strict"] } } }));

function sent(bytes: Buffer, pair = strict): Buffer {
  return steps(pair).reduce((current, { directory }) => joined(directory?.(current) ?? null, current), bytes);
}

const links = (...targets: string[]): Buffer =>
  codec().encode(NAME, { symlinks: targets.map((target) => ({ name: "l", target })) });

/** A target as a strict server gets it. */
function target(given: string): string {
  return codec().decode(NAME, sent(links(given))).symlinks[0]!.target;
}

test("empty and single-dot segments go, and nothing else does", () => {
  const targets: Readonly<Record<string, string>> = {
    "a//b": "a/b",
    "a/./b": "a/b",
    "a/.//././//b": "a/b",
    "/./a": "/a",
    "/.//a": "/a",
    "a//": "a/",
    "a/..//b": "a/../b",
    "..//./x": "../x",
  };
  for (const [given, wanted] of Object.entries(targets)) assert.equal(target(given), wanted, given);
});

test("two slashes in front, dots in front or at the end, and parents are left as they are", () => {
  for (const given of [
    "//a",
    "///a",
    "//./a",
    "./a",
    "a/.",
    ".",
    "..",
    "../a/../b",
    "a/..",
    "a/.b",
    "a./b",
    "a/...",
    "/",
  ]) {
    const bytes = links(given);
    assert.equal(sent(bytes), bytes, given);
  }
  assert.equal(target("//a//b/./c"), "//a/b/c");
});

test("given links by hand, then only their targets change, and unknown fields survive", () => {
  // symlinks {name "l", target "a//b", 100: 01}, 100: 01
  const given = hex("1a 0d 0a 01 6c 12 04 61 2f 2f 62 a2 06 01 01 a2 06 01 01");
  const wanted = hex("1a 0c 0a 01 6c 12 03 61 2f 62 a2 06 01 01 a2 06 01 01");
  assert.deepEqual(sent(given), wanted);
  assert.equal(sent(wanted), wanted);
});

test("a wish about hard links goes, whatever its type", () => {
  assert.deepEqual(sent(hex("0a 06 0a 01 66 3a 01 73")), hex("0a 03 0a 01 66"));
  assert.deepEqual(sent(hex("0a 05 0a 01 66 38 01")), hex("0a 03 0a 01 66"));
});

test("a target that is no UTF-8 keeps its bytes", () => {
  assert.deepEqual(sent(hex("1a 06 12 04 ff 2f 2f fe")), hex("1a 05 12 03 ff 2f fe"));
});

test("a server that is strict about all that is hashed is so about targets", () => {
  const pair = plan(client(), server({ forms: { "strict-canonical": { reads: ["strict"] } } }));
  assert.deepEqual(sent(links("a//b"), pair), links("a/b"));
  const lenient = plan(client(), server({ forms: { "strict-canonical": { reads: ["lenient", "strict"] } } }));
  assert.equal(lenient.content.length, 0);
});

test("a level proves nothing", () => {
  for (const from of LEVELS)
    for (const to of LEVELS) {
      const { decisions } = plan(client({ level: from }), server({ level: to }));
      const own = decisions.filter(({ feature }) => feature === "input-symlinks");
      assert.ok(own.every(({ verdict }) => verdict === "native"));
    }
});

test("targets of any kind are in canonical form behind their first slashes, and lead to the same place", () => {
  const segment = fc.constantFrom("", ".", "..", "a", "b.");
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (segments) => {
      const given = segments.join("/");
      if (given === "") return;
      const after = target(given);
      assert.equal(target(after), after);
      assert.doesNotMatch(after.replace(/^\/\/+/, ""), /\/\/|\/\.\//);
      const meant = (text: string) => text.split("/").filter((part) => part !== "" && part !== ".");
      assert.deepEqual(meant(after), meant(given));
      assert.equal(/^\/\/+/.exec(after)?.[0], /^\/\/+/.exec(given)?.[0]);
    }),
  );
});

test("broken bytes are told as such", () => {
  for (const bytes of ["1a 03 12 04 61", "0a 02 3a 05"])
    assert.throws(() => sent(hex(bytes)), { name: "WireError" });
});
