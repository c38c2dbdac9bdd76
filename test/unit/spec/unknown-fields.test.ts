import assert from "node:assert/strict";
import { test } from "node:test";
import { knownFields } from "../../../src/spec/known-fields.ts";
import { type UnknownField, withoutUnknown } from "../../../src/spec/unknown-fields.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { hex } from "../wire/support.ts";

const ACTION = "build.bazel.remote.execution.v2.Action";

test("a level knows the fields it has, and no later ones or such as are gone", () => {
  const names = (level: Level) => [...knownFields(level, ACTION).values()].map(({ name }) => name);
  const first = ["command_digest", "input_root_digest", "timeout", "do_not_cache"];
  assert.deepEqual(names("2018-11"), first);
  assert.deepEqual(names("2.1"), [...first, "output_node_properties"]);
  assert.deepEqual(names("main"), [...first, "salt", "platform"]);
  assert.throws(() => knownFields("main", "build.bazel.None"), RangeError);
});

/** What is unknown of an Action, and the Action without it. */
function found(level: Level, bytes: Buffer): [string[], Buffer] {
  const seen: UnknownField[] = [];
  const slices = withoutUnknown(new Walker(bytes), "Action", level, (field) => {
    seen.push(field);
    return "drop";
  });
  return [
    seen.map(({ message, path, element }) => `${message} ${path} ${element}`),
    slices === null ? bytes : Buffer.concat(slices),
  ];
}

test("unknown fields are found at every depth, with the way to them", () => {
  // command_digest {size_bytes 1, 3: 1}, salt "s", platform {properties {name "n", 9: ""}}
  const bytes = hex("0a 04 10 01 18 01 4a 01 73 52 07 0a 05 0a 01 6e 4a 00");
  assert.deepEqual(found("main", bytes), [
    ["Digest command_digest.3 null", "Property platform.properties.9 null"],
    hex("0a 02 10 01 4a 01 73 52 05 0a 03 0a 01 6e"),
  ]);
  assert.deepEqual(found("2.0", bytes)[0], [
    "Digest command_digest.3 null",
    `Action salt ${ACTION}.salt`,
    `Action platform ${ACTION}.platform`,
  ]);
});

test("a known number with another wire type is unknown, groups and fixed numbers included", () => {
  for (const bytes of ["08 01", "3a 00", "3d 00 00 00 00", "3b 3c"])
    assert.equal(found("main", hex(bytes))[0].length, 1, bytes);
});

test("a message without any is the same", () => {
  const bytes = hex("0a 02 10 01 38 01");
  assert.equal(found("2018-11", bytes)[1], bytes);
});
