import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FieldScanner, type FieldVisitor, Take } from "../../../src/wire/field-scanner.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Walker, WireType } from "../../../src/wire/walker.ts";
import { WireError } from "../../../src/wire/wire-error.ts";

/** Sees every field of the message itself with its payload. */
class Everything implements FieldVisitor {
  readonly seen: string[] = [];
  field(number: number, wireType: number, _length: number, depth: number): number {
    if (wireType === WireType.GROUP) this.seen.push(`${depth}:${number}:group`);
    return Take.GATHER;
  }
  value(number: number, wireType: number, payload: Buffer, depth: number): void {
    this.seen.push(`${depth}:${number}:${wireType}:${payload.toString("hex")}`);
  }
}

function walked(bytes: Buffer): string[] | string {
  const seen: string[] = [];
  const field = new Walker(bytes);
  try {
    while (field.next()) {
      const payload = bytes.toString("hex", field.start, field.end);
      seen.push(
        field.wireType === WireType.GROUP
          ? `0:${field.number}:group`
          : `0:${field.number}:${field.wireType}:${payload}`,
      );
    }
  } catch (error) {
    assert(error instanceof WireError);
    return "broken";
  }
  return seen;
}

function scanned(bytes: Buffer, cuts: readonly number[]): string[] | string {
  const visitor = new Everything();
  const scanner = new FieldScanner(visitor);
  try {
    let at = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      const to = Math.min(cut, bytes.length);
      scanner.feed(bytes, at, to);
      at = to;
    }
    scanner.feed(bytes, at);
    scanner.finish();
  } catch (error) {
    assert(error instanceof WireError);
    return "broken";
  }
  return visitor.seen;
}

it("a payload that comes in one piece is lent as it lies, if asked for, and one in pieces is collected", () => {
  const message = Buffer.from([0x0a, 3, 1, 2, 3]);
  const shown = (lends: boolean, cut: number): Buffer => {
    let payload: Buffer = Buffer.alloc(0);
    const value = (_number: number, _wireType: number, bytes: Buffer): void => {
      payload = bytes;
    };
    const scanner = new FieldScanner({ field: () => Take.GATHER, value }, lends);
    scanner.feed(message, 0, cut);
    scanner.feed(message, cut);
    scanner.finish();
    assert.deepEqual([...payload], [1, 2, 3]);
    return payload;
  };
  assert.equal(shown(true, 2).buffer, message.buffer);
  assert.equal(shown(true, 2).byteOffset, message.byteOffset + 2);
  for (const [lends, cut] of [
    [true, 3],
    [false, 2],
  ] as const) {
    assert.notEqual(shown(lends, cut).buffer, message.buffer);
  }
});

const cuts = fc.array(fc.nat(200), { maxLength: 12 });

describe("field scanner", () => {
  it("sees what a walker sees, wherever the bytes are cut", () => {
    const part = fc.oneof(
      fc.record({
        number: fc.integer({ min: 1, max: 5000 }),
        value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      }),
      fc.record({ number: fc.integer({ min: 1, max: 5000 }), value: fc.uint8Array({ maxLength: 40 }) }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), cuts, (parts, where) => {
        const writer = new FieldWriter();
        for (const { number, value } of parts) {
          if (typeof value === "bigint") writer.varint(number, value);
          else writer.bytes(number, Buffer.from(value));
        }
        const bytes = Buffer.concat(writer.finish());
        assert.deepEqual(scanned(bytes, where), walked(bytes));
      }),
    );
  });

  it("agrees with a walker on arbitrary bytes, broken ones included", () => {
    const small = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 8, 9, 0x0a, 0x0b, 0x0c, 0x0d, 0x80, 0xff), {
      maxLength: 24,
    });
    fc.assert(
      fc.property(small, cuts, (values, where) => {
        const bytes = Buffer.from(values);
        assert.deepEqual(scanned(bytes, where), walked(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it("enters the messages it is told to, and only those", () => {
    const inner = new FieldWriter();
    inner.varint(3, 7);
    inner.bytes(4, Buffer.from("data"));
    const nested = Buffer.concat(inner.finish());
    const outer = new FieldWriter();
    outer.bytes(1, nested);
    outer.bytes(1, Buffer.alloc(0));
    outer.bytes(2, nested);
    const seen: string[] = [];
    const scanner = new FieldScanner({
      field(number, _wireType, length, depth, offset) {
        seen.push(`${depth}/${number} ${length} at ${offset}`);
        if (depth === 0) return number === 1 ? Take.ENTER : Take.SKIP;
        return number === 3 ? Take.GATHER : Take.SKIP;
      },
      value: (number, _wireType, payload, depth, offset) =>
        void seen.push(`${depth}/${number} = ${payload[0]} until ${offset}`),
    });
    scanner.feed(Buffer.concat(outer.finish()));
    scanner.finish();
    assert.deepEqual(seen, [
      "0/1 8 at 0",
      "1/3 0 at 2",
      "1/3 = 7 until 4",
      "1/4 4 at 4",
      "0/1 0 at 10",
      "0/2 8 at 12",
    ]);
  });

  it("refuses a field that reaches beyond the message it lies in", () => {
    // Field 1 is a message of two bytes, in which field 1 announces five.
    const scanner = new FieldScanner({ field: () => Take.ENTER, value() {} });
    assert.throws(() => scanner.feed(Buffer.from([0x0a, 2, 0x0a, 5, 1, 1, 1, 1, 1])), { code: "truncated" });
  });

  it("refuses messages nested without end", () => {
    const scanner = new FieldScanner({ field: () => Take.ENTER, value() {} });
    const bytes = Buffer.alloc(1200);
    for (let at = 0; at < bytes.length; at += 6)
      bytes.set([0x0a, 0xff, 0xff, 0xff, 0x7f, 0x0b].slice(0, 5), at);
    assert.throws(() => scanner.feed(bytes), WireError);
    const groups = new FieldScanner({ field: () => Take.SKIP, value() {} });
    assert.throws(() => groups.feed(Buffer.alloc(500, 0x0b)), { code: "too-deep" });
  });
});
