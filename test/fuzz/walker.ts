/**
 * The protobuf walker against a plain second reader: both must find the same fields or both refuse, the fields together are
 * the input, values read alike, and rewriting touches nothing but what it was told to.
 */
import assert from "node:assert/strict";
import { rewriteMessage } from "../../src/wire/rewrite.ts";
import { MAX_DEPTH, Walker, WireType } from "../../src/wire/walker.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import type { FuzzTarget } from "./target.ts";

interface PlainField {
  readonly number: number;
  readonly wireType: number;
  /** The whole field and its payload, as offsets. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
  readonly to: number;
}

/** Reads protobuf by the letter of its encoding document, slowly; throws where it is broken. */
class PlainReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  fields(): PlainField[] {
    const found: PlainField[] = [];
    while (this.at < this.bytes.length) found.push(this.field(MAX_DEPTH));
    return found;
  }

  private field(depthLeft: number): PlainField {
    const from = this.at;
    const { number, wireType } = this.tag();
    if (wireType === WireType.GROUP_END) throw new Error("a group ends that did not begin");
    const [start, end] = this.payload(number, wireType, depthLeft);
    return { number, wireType, from, start, end, to: this.at };
  }

  private payload(number: number, wireType: number, depthLeft: number): [number, number] {
    const start = this.at;
    switch (wireType) {
      case WireType.VARINT:
        this.varint(64);
        return [start, this.at];
      case WireType.I64:
      case WireType.I32:
        return this.skip(wireType === WireType.I64 ? 8 : 4);
      case WireType.LEN:
        return this.skip(Number(this.varint(32)));
      case WireType.GROUP:
        return [start, this.groupEnd(number, depthLeft)];
      default:
        throw new Error("no such wire type");
    }
  }

  private groupEnd(number: number, depthLeft: number): number {
    if (depthLeft <= 0) throw new Error("too deep");
    for (;;) {
      const at = this.at;
      const next = this.tag();
      if (next.wireType === WireType.GROUP_END) {
        if (next.number !== number) throw new Error("another group ends");
        return at;
      }
      this.at = at;
      this.field(depthLeft - 1);
    }
  }

  private tag(): { number: number; wireType: number } {
    const tag = this.varint(32);
    if (tag >> 3n === 0n) throw new Error("field number 0");
    return { number: Number(tag >> 3n), wireType: Number(tag & 7n) };
  }

  private varint(bits: number): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error("ends inside an integer");
      value |= BigInt(byte & 127) << shift;
      if (value >> BigInt(bits) !== 0n || shift >= bits) throw new Error("an integer too long");
      if (byte < 128) return value;
    }
  }

  private skip(length: number): [number, number] {
    const start = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw new Error("ends inside a field");
    return [start, this.at];
  }
}

function attempt<T>(read: () => T): T | Error {
  try {
    return read();
  } catch (error) {
    return error as Error;
  }
}

function walk(bytes: Buffer): PlainField[] {
  const found: PlainField[] = [];
  const field = new Walker(bytes);
  while (field.next()) {
    const { number, wireType, fieldStart: from, start, end, fieldEnd: to } = field;
    found.push({ number, wireType, from, start, end, to });
    if (wireType === WireType.VARINT) checkVarint(field);
  }
  return found;
}

/** All readings of a varint against the sum of its groups. */
function checkVarint(field: Walker): void {
  let plain = 0n;
  for (let at = field.end - 1; at >= field.start; at--)
    plain = (plain << 7n) | BigInt(field.buffer[at]! & 127);
  assert.equal(field.uint64(), plain);
  assert.equal(field.int64(), BigInt.asIntN(64, plain));
  assert.equal(field.int32(), Number(BigInt.asIntN(32, plain)));
  assert.equal(field.bool(), plain !== 0n);
  const signed = Number(BigInt.asIntN(64, plain));
  if (Number.isSafeInteger(signed)) assert.equal(field.integer(), signed);
  else assert.throws(() => field.integer(), WireError);
}

function checkRewrite(bytes: Buffer, fields: readonly PlainField[]): void {
  assert.equal(
    rewriteMessage(new Walker(bytes), () => "keep"),
    null,
    "keeping every field changed the message",
  );
  const victim = fields[bytes.length % fields.length]!.number;
  const slices = rewriteMessage(new Walker(bytes), ({ number }) => (number === victim ? "drop" : "keep"));
  const rest = fields.filter(({ number }) => number !== victim).sort((a, b) => a.number - b.number);
  const expected = Buffer.concat(rest.map(({ from, to }) => bytes.subarray(from, to)));
  assert.ok(Buffer.concat(slices!).equals(expected), "dropping a field changed another");
}

/** The fuzz target: `bytes` are a message. */
export const walker: FuzzTarget = {
  name: "walker",
  run(given) {
    const bytes = Buffer.from(given);
    const expected = attempt(() => new PlainReader(bytes).fields());
    const fields = attempt(() => walk(bytes));
    if (fields instanceof Error) {
      if (!(fields instanceof WireError)) throw fields;
      assert.ok(expected instanceof Error, `refused what is whole: ${fields.message}`);
      return;
    }
    assert.ok(!(expected instanceof Error), `accepted what is broken: ${String(expected)}`);
    let at = 0;
    for (const [i, { from, to, ...rest }] of fields.entries()) {
      assert.equal(from, at, "fields overlap or leave a gap");
      assert.deepEqual({ from, to, ...rest }, expected[i]);
      at = to;
    }
    assert.equal(at, bytes.length);
    assert.equal(fields.length, expected.length);
    if (fields.length > 0) checkRewrite(bytes, fields);
  },
};
