import assert from "node:assert/strict";
import { test } from "node:test";
import { Walker, WireType } from "../../../src/wire/walker.ts";
import { hex, wireError } from "./support.ts";

/** Every field as `number:wireType payload-in-hex`. */
function fields(bytes: Buffer): string[] {
  const field = new Walker(bytes);
  const found: string[] = [];
  while (field.next()) {
    found.push(`${field.number}:${field.wireType} ${bytes.toString("hex", field.start, field.end)}`);
  }
  return found;
}

/** A walker standing on the only field of a message. */
function first(bytes: string): Walker {
  const field = new Walker(hex(bytes));
  assert.equal(field.next(), true);
  return field;
}

test("an empty message has no fields", () => {
  assert.deepEqual(fields(Buffer.alloc(0)), []);
});

test("finds number, wire type and payload of every kind of field", () => {
  assert.deepEqual(fields(hex("08 9601 11 0102030405060708 1a 03 616263 25 01020304 2b 0801 2c")), [
    "1:0 9601",
    "2:1 0102030405060708",
    "3:2 616263",
    "4:5 01020304",
    "5:3 0801",
  ]);
});

test("a field knows its bytes with the tag, and consecutive fields leave no gap", () => {
  const bytes = hex("0801 120161 9a06 02 6162");
  const field = new Walker(bytes);
  let at = 0;
  while (field.next()) {
    assert.equal(field.fieldStart, at);
    at = field.fieldEnd;
  }
  assert.equal(at, bytes.length);
});

test("reads only its part of a buffer", () => {
  const field = new Walker(hex("ff 0801 ff"), 1, 3);
  assert.equal(field.next(), true);
  assert.equal(field.integer(), 1);
  assert.equal(field.next(), false);
  assert.equal(field.next(), false);
});

test("field numbers reach 2^29-1, and tags and lengths may be longer than needed", () => {
  assert.deepEqual(fields(hex("f8ffffff0f 01")), ["536870911:0 01"]);
  assert.deepEqual(fields(hex("8a80808000 8180808000 61")), ["1:2 61"]);
});

test("a group is one field, whatever it encloses", () => {
  assert.deepEqual(fields(hex("0b 13 0801 14 1a 01 0c 0c 1001")), ["1:3 130801141a010c", "2:0 01"]);
});

for (const [why, bytes, code] of [
  ["a tag cut short", "80", "truncated"],
  ["a varint that is absent", "08", "truncated"],
  ["a varint cut short", "08 80", "truncated"],
  ["a length that is absent", "0a", "truncated"],
  ["a length cut short", "0a 80", "truncated"],
  ["a length beyond the end", "0a 02 61", "truncated"],
  ["a long length beyond the end", "0a ffffffff0f 61", "truncated"],
  ["a 64-bit value cut short", "09 00000000000000", "truncated"],
  ["a 32-bit value cut short", "0d 000000", "truncated"],
  ["a group without an end", "0b 0801", "truncated"],
  ["a tag of more than 32 bits", "8880808010 01", "varint"],
  ["a tag of six bytes", "888080808000 01", "varint"],
  ["a length of more than 32 bits", "0a 8080808010", "varint"],
  ["a varint of eleven bytes", "08 8080808080808080808001", "varint"],
  ["a varint of more than 64 bits", "08 80808080808080808002", "varint"],
  ["field number 0", "00 01", "field-number"],
  ["field number 0 in a group", "0b 0001 0c", "field-number"],
  ["wire type 6", "0e 01", "wire-type"],
  ["wire type 7", "0f 01", "wire-type"],
  ["an end without a group", "0c", "wire-type"],
  ["a group with another's end", "0b 14", "wire-type"],
] as const) {
  test(`refuses ${why}`, () => {
    assert.throws(() => fields(hex(bytes)), wireError(code));
  });
}

test("does not read past its part, even if the buffer goes on", () => {
  const bytes = hex("0a 02 61 62");
  assert.throws(() => new Walker(bytes, 0, 3).next(), wireError("truncated"));
  assert.throws(() => new Walker(hex("08 8001"), 0, 2).next(), wireError("truncated"));
});

test("integers: unsigned, signed, int32, bool", () => {
  const minusOne = first("08 ffffffffffffffffff01");
  assert.equal(minusOne.uint64(), 2n ** 64n - 1n);
  assert.equal(minusOne.int64(), -1n);
  assert.equal(minusOne.integer(), -1);
  assert.equal(minusOne.int32(), -1);
  assert.equal(minusOne.bool(), true);
  assert.equal(first("08 8000").bool(), false);
  assert.equal(first("08 ffffffff0f").int32(), -1);
  assert.equal(first("08 ffffffff0f").integer(), 2 ** 32 - 1);
  assert.equal(first("08 808080808002").int32(), 0);
});

test("an integer is exact up to 2^53-1 and refused beyond", () => {
  assert.equal(first("08 ffffffffffffff0f").integer(), Number.MAX_SAFE_INTEGER);
  assert.equal(first("08 81808080808080f0ff01").integer(), -Number.MAX_SAFE_INTEGER);
  assert.throws(() => first("08 8080808080808010").integer(), wireError("varint", /field 1.*2\^53/));
});

test("text must be UTF-8", () => {
  assert.equal(first("0a 03 e282ac").text(), "€");
  assert.equal(first("0a 00").text(), "");
  assert.throws(() => first("0a 02 e282").text(), wireError("utf8", /field 1/));
});

test("bytes are a view, not a copy", () => {
  const message = hex("0a 02 6162");
  const field = new Walker(message);
  field.next();
  message[2] = 0x7a;
  assert.equal(field.bytes().toString(), "zb");
});

test("a value asked for as another wire type is named, not guessed", () => {
  assert.throws(() => first("0a 01 01").integer(), wireError("wire-type", /field 1 has wire type 2, not 0/));
  for (const read of ["uint64", "int64", "int32", "bool"] as const) {
    assert.throws(() => first("0d 00000000")[read](), wireError("wire-type"));
  }
  assert.throws(() => first("08 01").text(), wireError("wire-type"));
  assert.throws(() => first("08 01").bytes(), wireError("wire-type"));
  assert.throws(() => first("08 01").enter(), wireError("wire-type"));
  assert.equal(first("08 01").wireType, WireType.VARINT);
});

test("enters nested messages, with a new walker or an old one", () => {
  const outer = first("0a 04 0807 1001");
  const inner = outer.enter();
  assert.equal(inner.next() && inner.integer(), 7);
  const again = outer.enter(inner);
  assert.equal(again, inner);
  assert.equal(again.next() && again.integer(), 7);
  assert.equal(again.next() && again.number, 2);
  assert.equal(again.next(), false);
});

test("goes no deeper than it may", () => {
  let message = Buffer.alloc(0);
  for (let i = 0; i < 4; i++) message = Buffer.concat([Buffer.from([0x0a, message.length]), message]);
  let field = new Walker(message, 0, message.length, 2);
  for (let depth = 0; depth < 2; depth++) {
    field.next();
    field = field.enter();
  }
  field.next();
  assert.throws(() => field.enter(), wireError("too-deep"));
});

test("goes no deeper than 100 groups, and needs no stack for them", () => {
  const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x0b), Buffer.alloc(depth, 0x0c)]);
  assert.equal(fields(nested(100)).length, 1);
  assert.throws(() => fields(nested(101)), wireError("too-deep"));
  assert.throws(() => fields(nested(1_000_000)), wireError("too-deep"));
});
