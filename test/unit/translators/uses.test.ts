import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FieldUse } from "../../../src/translators/translator.ts";
import { findUse, UseWatch } from "../../../src/translators/uses.ts";
import { FieldScanner } from "../../../src/wire/field-scanner.ts";
import { hex } from "../wire/support.ts";

class Refused extends Error {}

function use(path: number[], holds?: (payload: Buffer) => boolean): FieldUse {
  return { what: "x", element: null, text: path.join("."), path, ...(holds && { holds }) };
}

function watching(uses: readonly FieldUse[], refused: (text: string | null) => void): UseWatch {
  return new UseWatch(
    uses.map((each) => ({
      ...each,
      refuse: () => {
        refused(each.text);
        throw new Refused();
      },
    })),
  );
}

/** The path of the first use that a scan sees while the message comes in pieces. */
function scanned(message: Buffer, uses: readonly FieldUse[], pieceBytes = 1): string | null {
  let seen: string | null = null;
  const scan = watching(uses, (text) => {
    seen = text;
  }).scan();
  const scanner = new FieldScanner(scan);
  try {
    for (let at = 0; at < message.length; at += pieceBytes)
      scanner.feed(message, at, Math.min(at + pieceBytes, message.length));
    scanner.finish();
    scan.complete();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  return seen;
}

function found(message: Buffer, uses: readonly FieldUse[]): string | null {
  return findUse(message, uses)?.text ?? null;
}

/** The same of a message that lies whole in a buffer. */
function looked(message: Buffer, uses: readonly FieldUse[]): string | null {
  let seen: string | null = null;
  const watch = watching(uses, (text) => {
    seen = text;
  });
  const around = Buffer.concat([Buffer.of(0xff), message, Buffer.of(0xff)]);
  try {
    watch.look(around, 1, around.length - 1);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  return seen;
}

for (const [how, look] of [
  ["at once", found],
  ["in place", looked],
  ["while it passes", scanned],
] as const) {
  test(`${how}: a field that is there is a use, a 0 is not`, () => {
    assert.equal(look(hex("1801"), [use([3])]), "3");
    assert.equal(look(hex("1800"), [use([3])]), null);
    assert.equal(look(hex("18808000"), [use([3])]), null);
    assert.equal(look(hex("1a00"), [use([3])]), "3");
    assert.equal(look(hex("0801"), [use([3])]), null);
    assert.equal(look(hex(""), [use([3])]), null);
  });

  test(`${how}: a field further down is found in any of the messages above it`, () => {
    assert.equal(look(hex("1200 1204 0a00 1801"), [use([2, 3])]), "2.3");
    assert.equal(look(hex("1802 1204 0a00 1001"), [use([2, 3])]), null);
    assert.equal(look(hex("0a02 1801"), [use([2, 3])]), null);
  });

  test(`${how}: what it holds decides where that is asked`, () => {
    const big = use([5], (payload) => payload[0]! > 7);
    assert.equal(look(hex("2801"), [big]), null);
    assert.equal(look(hex("2809"), [big]), "5");
  });

  test(`${how}: several uses in one message do not hide each other`, () => {
    const uses = [use([2, 1], () => false), use([2, 2]), use([4])];
    assert.equal(look(hex("1202 0801 2001"), uses), "4");
    assert.equal(look(hex("1204 0801 1001"), uses), "2.2");
  });

  test(`${how}: a payload too long to be asked about counts as a use`, () => {
    const payload = Buffer.alloc(70_000, 1);
    const message = Buffer.concat([hex("0af0a204"), payload]);
    assert.equal(look(message, [use([1], () => false)]), "1");
  });
}

test("both ways agree on any message that is one", () => {
  const uses = [use([1]), use([2, 1]), use([2, 2, 3]), use([3], (payload) => payload.length > 3)];
  const leaf = fc.oneof(
    fc.nat(300).map((value) => Buffer.from([...varint(8 * 3), ...varint(value)])),
    fc.nat(300).map((value) => Buffer.from([...varint(8), ...varint(value)])),
    fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from([8 * 3 + 2, bytes.length, ...bytes])),
  );
  const { message } = fc.letrec<{ message: Buffer; field: Buffer }>((tie) => ({
    field: fc.oneof(
      { maxDepth: 4 },
      leaf,
      tie("message").map((bytes) => Buffer.from([8 * 2 + 2, ...varint(bytes.length), ...bytes])),
    ),
    message: fc.array(tie("field"), { maxLength: 3 }).map((fields) => Buffer.concat(fields)),
  }));
  fc.assert(
    fc.property(message, fc.integer({ min: 1, max: 9 }), (bytes, piece) => {
      assert.equal(scanned(bytes, uses, piece) !== null, found(bytes, uses) !== null);
    }),
    { numRuns: 300 },
  );
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}
