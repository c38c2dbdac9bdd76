import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { hex, wireError } from "./support.ts";

/** Copies all fields of a message. */
function copyAll(out: FieldWriter, message: Buffer): void {
  const field = new Walker(message);
  while (field.next()) out.copy(field);
}

test("no fields make an empty message", () => {
  assert.deepEqual(new FieldWriter().finish(), []);
  assert.equal(new FieldWriter().toBuffer().length, 0);
});

test("writes each kind of field as protobuf does", () => {
  const out = new FieldWriter();
  out.varint(1, 150);
  out.varint(2, true);
  out.varint(3, -1);
  out.varint(4, 2n ** 63n);
  out.varint(5, -(2n ** 63n));
  out.varint(6, Number.MAX_SAFE_INTEGER);
  out.text(7, "€");
  out.bytes(8, hex("00ff"));
  out.message(9, [hex("08"), hex("01")]);
  out.message(10, []);
  out.varint(536_870_911, 0);
  const expected = hex(
    "08 9601 10 01 18 ffffffffffffffffff01 20 80808080808080808001 28 80808080808080808001" +
      "30 ffffffffffffff0f 3a 03 e282ac 42 02 00ff 4a 02 0801 52 00 f8ffffff0f 00",
  );
  assert.equal(out.byteLength, expected.length);
  assert.deepEqual(out.toBuffer(), expected);
});

test("sorts by number and keeps the order of equal numbers", () => {
  const out = new FieldWriter();
  out.text(3, "c1");
  out.text(1, "a1");
  out.text(3, "c2");
  out.text(2, "b");
  out.text(1, "a2");
  assert.deepEqual(out.toBuffer(), hex("0a026131 0a026132 120162 1a026331 1a026332"));
});

test("puts a new field between copied ones", () => {
  const out = new FieldWriter();
  copyAll(out, hex("0801 1802 1803 2804"));
  out.varint(2, 9);
  out.varint(3, 8);
  assert.deepEqual(out.toBuffer(), hex("0801 1009 1802 1803 1808 2804"));
});

test("keeps a long field in one piece when it moves", () => {
  const body = Buffer.alloc(1000, 0x61);
  const out = new FieldWriter();
  out.varint(5, 1);
  out.message(2, [body, Buffer.from("b")]);
  out.message(2, [Buffer.from("c"), body]);
  out.varint(1, 1);
  const expected = Buffer.concat([hex("0801 12 e907"), body, hex("62 12 e907 63"), body, hex("2801")]);
  assert.deepEqual(out.toBuffer(), expected);
});

test("references long payloads and copied fields", () => {
  const body = Buffer.alloc(70_000, 1);
  const source = Buffer.concat([hex("1a f0a204"), Buffer.alloc(70_000, 2)]);
  const out = new FieldWriter();
  out.bytes(2, body);
  copyAll(out, source);
  const slices = out.finish();
  assert.equal(slices.length, 3);
  assert.equal(slices[1], body);
  assert.equal(slices[2], source);
});

test("copies short payloads, which may change afterwards", () => {
  const short = Buffer.from("ab");
  const out = new FieldWriter();
  out.bytes(1, short);
  short.fill(0);
  assert.deepEqual(out.toBuffer(), hex("0a 02 6162"));
});

test("a run of copied fields is one slice, whatever their number", () => {
  const source = Buffer.concat(Array.from({ length: 1000 }, (_, i) => Buffer.from([0x08, i & 0x7f])));
  const out = new FieldWriter();
  copyAll(out, source);
  assert.deepEqual(out.finish(), [source]);
});

test("copies groups and overlong tags byte for byte, also when it sorts", () => {
  const out = new FieldWriter();
  copyAll(out, hex("2b 0801 2c 888000 01"));
  assert.deepEqual(out.toBuffer(), hex("888000 01 2b 0801 2c"));
});

test("writes more than its first scratch buffer holds", () => {
  const out = new FieldWriter();
  const expected: Buffer[] = [];
  for (let i = 0; i < 2000; i++) {
    out.text(1, `value ${i}`);
    const text = Buffer.from(`value ${i}`);
    expected.push(Buffer.from([0x0a, text.length]), text);
  }
  out.text(2, "x".repeat(5000));
  expected.push(hex("12 8827"), Buffer.from("x".repeat(5000)));
  assert.deepEqual(out.toBuffer(), Buffer.concat(expected));
});

test("refuses a message of too many pieces, while collecting and while sorting", () => {
  const body = Buffer.alloc(300);
  const collecting = new FieldWriter(4);
  collecting.bytes(1, body);
  collecting.bytes(1, body);
  assert.throws(() => collecting.bytes(1, body), wireError("too-many-pieces", /4/));

  const sorting = new FieldWriter(8);
  copyAll(sorting, hex("0801 1002 0801 1002 0801 1002 0801 1002 0801 1002"));
  assert.throws(() => sorting.finish(), wireError("too-many-pieces"));
});
