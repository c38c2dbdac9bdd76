import assert from "node:assert/strict";
import { test } from "node:test";
import { rewriteField, rewriteMessage } from "../../../src/wire/rewrite.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { hex, wireError } from "./support.ts";

const MESSAGE = hex("0801 12 04 0a 02 6162 1a 01 63 f83f 05");

test("a message in which nothing changes is null: the caller keeps the original", () => {
  assert.equal(
    rewriteMessage(new Walker(MESSAGE), () => "keep"),
    null,
  );
});

test("a message out of order stays so while nothing changes", () => {
  assert.equal(
    rewriteMessage(new Walker(hex("1001 0801")), () => "keep"),
    null,
  );
});

test("drops a field and leaves the others, unknown ones too, as they are", () => {
  const slices = rewriteMessage(new Walker(MESSAGE), (field) => (field.number === 2 ? "drop" : "keep"));
  assert.deepEqual(Buffer.concat(slices!), hex("0801 1a 01 63 f83f 05"));
});

test("a message that loses all its fields is an empty list, not null", () => {
  assert.deepEqual(
    rewriteMessage(new Walker(hex("0801")), () => "drop"),
    [],
  );
});

test("replaces a field where it stands", () => {
  const slices = rewriteMessage(new Walker(MESSAGE), (field, out) => {
    if (field.number !== 3) return "keep";
    out.text(3, `${field.text()}!`);
    return "drop";
  });
  assert.deepEqual(Buffer.concat(slices!), hex("0801 12 04 0a 02 6162 1a 02 6321 f83f 05"));
});

test("adds fields at the end of the walk, where their numbers belong", () => {
  const slices = rewriteMessage(
    new Walker(MESSAGE),
    () => "keep",
    (out) => out.varint(2, 1),
  );
  assert.deepEqual(Buffer.concat(slices!), hex("0801 12 04 0a 02 6162 1001 1a 01 63 f83f 05"));
});

test("moves a field to another number", () => {
  const slices = rewriteMessage(new Walker(hex("0801 42 01 61")), (field, out) => {
    if (field.number !== 8) return "keep";
    out.bytes(1, field.bytes());
    return "drop";
  });
  assert.deepEqual(Buffer.concat(slices!), hex("0801 0a 01 61"));
});

test("rewrites nested messages and corrects the lengths around them", () => {
  const change = (): Buffer[] | null =>
    rewriteMessage(new Walker(MESSAGE), (field, out) =>
      field.number === 2
        ? rewriteField(field, out, (inner, innerOut) => {
            innerOut.text(inner.number, "x".repeat(200));
            return "drop";
          })
        : "keep",
    );
  const expected = Buffer.concat([
    hex("0801 12 cb01 0a c801"),
    Buffer.from("x".repeat(200)),
    hex("1a 01 63 f83f 05"),
  ]);
  assert.deepEqual(Buffer.concat(change()!), expected);
});

test("a nested message in which nothing changes is kept, its odd encoding too", () => {
  const odd = hex("12 82808000 0801");
  const rewritten = rewriteMessage(new Walker(odd), (field, out) => rewriteField(field, out, () => "keep"));
  assert.equal(rewritten, null);
});

test("a nested message can be given fields", () => {
  const slices = rewriteMessage(new Walker(hex("0a 00")), (field, out) =>
    rewriteField(
      field,
      out,
      () => "keep",
      (inner) => inner.varint(1, 1),
    ),
  );
  assert.deepEqual(Buffer.concat(slices!), hex("0a 02 0801"));
});

test("does not touch the source", () => {
  const source = Buffer.from(MESSAGE);
  rewriteMessage(new Walker(source), (field, out) => {
    out.varint(field.number, 9);
    return "drop";
  });
  assert.deepEqual(source, MESSAGE);
});

test("malformed input is an error even if the bad part would be dropped", () => {
  assert.throws(() => rewriteMessage(new Walker(hex("0801 12 05 61")), () => "drop"), wireError("truncated"));
});
