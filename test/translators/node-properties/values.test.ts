import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { type Fail, listOf, messageOf, nameIn } from "../../../src/translators/node-properties/values.ts";
import { hex } from "../../unit/wire/support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Properties = Draft<Messages[`${typeof V2}.NodeProperties`]>;

const fail: Fail = (attribute, why) => {
  throw new Error(`${attribute}: ${why}`);
};
const pair = (name: string, value: string): Buffer =>
  codec("2.1").encode(`${V2}.NodeProperty`, { name, value });
const message = (properties: Properties): Buffer => codec().encode(`${V2}.NodeProperties`, properties);
const pairs = (list: readonly Buffer[]) =>
  list.map((bytes) => {
    const { name, value } = codec().decode(`${V2}.NodeProperty`, bytes);
    return [name, value];
  });

test("a time and a mode by hand, both ways", () => {
  // properties {name "a" value "b"}, mtime {seconds 1, nanos 500000000}, unix_mode {value 0755}
  const bytes = hex("0a 06 0a 01 61 12 01 62 12 08 08 01 10 80 ca b5 ee 01 1a 03 08 ed 03");
  const list = [pair("MTime", "1970-01-01T00:00:01.5Z"), pair("UnixMode", "0755"), pair("a", "b")];
  assert.deepEqual(listOf(bytes, fail), list);
  assert.deepEqual(messageOf(list.toReversed(), fail), bytes);
});

test("the beginning of 1970 and a mode without bits are values like others", () => {
  const bytes = hex("12 00 1a 00");
  const list = [pair("MTime", "1970-01-01T00:00:00Z"), pair("UnixMode", "0000")];
  assert.deepEqual(listOf(bytes, fail), list);
  assert.deepEqual(messageOf(list, fail), bytes);
});

test("offsets become UTC, and what is finer than a nanosecond is cut off", () => {
  const text = "2020-02-29T23:30:00.1234567899-01:30";
  const { mtime } = codec().decode(`${V2}.NodeProperties`, messageOf([pair("MTime", text)], fail));
  assert.deepEqual([mtime?.seconds, mtime?.nanos], [BigInt(Date.UTC(2020, 2, 1, 1)) / 1000n, 123456789]);
});

test("nothing becomes nothing", () => {
  assert.deepEqual(listOf(Buffer.alloc(0), fail), []);
  assert.deepEqual(messageOf([], fail), Buffer.alloc(0));
});

test("what the other form has no room for is named", () => {
  const time = pair("MTime", "1970-01-01T00:00:00Z");
  const lists: [Buffer[], RegExp][] = [
    [[time, time], /^Error: MTime: .*more than once/],
    [[pair("UnixMode", "0644"), pair("UnixMode", "0644")], /^Error: UnixMode: .*more than once/],
    [[pair("MTime", "yesterday")], /^Error: MTime: .*RFC 3339/],
    [[pair("MTime", "2021-02-30T00:00:00Z")], /^Error: MTime: .*RFC 3339/],
    [[pair("MTime", "0000-01-01T00:00:00Z")], /^Error: MTime: .*RFC 3339/],
    [[pair("UnixMode", "0100644")], /^Error: UnixMode: .*four octal digits/],
    [[pair("UnixMode", "0648")], /^Error: UnixMode: .*four octal digits/],
    [[Buffer.concat([time, hex("1a 00")])], /^Error: MTime: .*no revision/],
  ];
  for (const [list, wanted] of lists) assert.throws(() => messageOf(list, fail), wanted);
  const messages: [Buffer, RegExp][] = [
    [message({ unixMode: { value: 0o10000 } }), /^Error: unix_mode: .*four octal digits/],
    [message({ unixMode: { value: 0o100644 } }), /^Error: unix_mode: .*four octal digits/],
    [message({ mtime: { nanos: -1 } }), /^Error: mtime: .*no time/],
    [message({ mtime: { nanos: 1_000_000_000 } }), /^Error: mtime: .*no time/],
    [message({ mtime: { seconds: 253402300800n } }), /^Error: mtime: .*no time/],
    [message({ properties: [{ name: "MTime", value: "x" }] }), /^Error: MTime: .*would mean/],
    [hex("22 00"), /^Error: field 4: no revision/],
    [hex("08 01"), /^Error: field 1: no revision/],
  ];
  for (const [bytes, wanted] of messages) assert.throws(() => listOf(bytes, fail), wanted);
});

test("parts of a field that comes twice are merged, as every reader does", () => {
  assert.deepEqual(pairs(listOf(hex("12 02 08 01 12 02 10 05"), fail)), [
    ["MTime", "1970-01-01T00:00:01.000000005Z"],
  ]);
});

test("broken bytes are an error of their own", () => {
  assert.throws(() => listOf(hex("12 05 08"), fail), { name: "WireError" });
  assert.throws(() => messageOf([hex("0a 02 ff ff")], fail), { name: "WireError" });
});

test("names by the form", () => {
  assert.deepEqual(
    ["mtime", "MTime", "other"].map((name) => nameIn("list", name)),
    ["MTime", "MTime", "other"],
  );
  assert.deepEqual(
    ["unix_mode", "UnixMode", "other"].map((name) => nameIn("message", name)),
    ["unix_mode", "unix_mode", "other"],
  );
});

/** All that both forms can express. */
const expressible = fc.record({
  properties: fc
    .uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{0,5}$/), value: fc.string() }), {
      selector: ({ name }) => name,
      maxLength: 4,
    })
    .map((list) => list.sort((a, b) => (a.name < b.name ? -1 : 1))),
  mtime: fc.option(
    fc.record({
      seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
      nanos: fc.integer({ min: 0, max: 999_999_999 }),
    }),
  ),
  unixMode: fc.option(fc.record({ value: fc.integer({ min: 0, max: 0o7777 }) })),
});

test("what both forms can express is the same after a way there and back, from either side", () => {
  fc.assert(
    fc.property(expressible, (properties) => {
      const bytes = message(properties);
      const list = listOf(bytes, fail);
      assert.deepEqual(messageOf(list, fail), bytes);
      assert.deepEqual(listOf(messageOf(list, fail), fail), list);
    }),
    { numRuns: 500 },
  );
});
