import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HpackDecoder } from "../../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../../src/http2/hpack/encoder.ts";
import { makeField } from "../../../src/http2/hpack/field.ts";
import { internName } from "../../../src/http2/hpack/name.ts";
import { decode, encode, encodeHex, fieldOf, lines } from "./support.ts";

const index = { index: true };

describe("a field", () => {
  test("of the static table takes one byte", () => {
    assert.equal(encodeHex(new HpackEncoder(), [fieldOf(":method: POST"), fieldOf(":status: 200")]), "8388");
  });

  test("to be indexed is sent once and then referred to, by object and by content", () => {
    const encoder = new HpackEncoder();
    const field = fieldOf("x-a: 1", index);
    assert.ok(encode(encoder, [field]).length > 1);
    assert.equal(encodeHex(encoder, [field]), "be");
    assert.equal(encodeHex(encoder, [fieldOf("x-a: 1", index)]), "be");
    encode(encoder, [fieldOf("x-b: 1", index)]);
    assert.equal(encodeHex(encoder, [field]), "bf");
  });

  test("not to be indexed is a literal each time, with the name from a table if one has it", () => {
    const encoder = new HpackEncoder();
    const field = fieldOf("grpc-timeout: 1S");
    const first = encodeHex(encoder, [field]);
    assert.equal(first.slice(0, 2), "00");
    assert.equal(encodeHex(encoder, [field]), first);
    encode(encoder, [fieldOf("grpc-timeout: 2S", index)]);
    assert.equal(encodeHex(encoder, [field]), "0f2f820eef");
    assert.equal(encodeHex(encoder, [fieldOf("content-length: 1")]).slice(0, 4), "0f0d");
  });

  test("never to be indexed says so, even if a table has it", () => {
    const encoder = new HpackEncoder();
    encode(encoder, [fieldOf("x-key: secret", index)]);
    const bytes = encode(encoder, [fieldOf("x-key: secret", { neverIndexed: true, index: true })]);
    assert.equal(bytes[0]! & 0xf0, 0x10);
    const [field] = decode(
      new HpackDecoder(),
      encode(new HpackEncoder(), [fieldOf("te: x", { neverIndexed: true })]),
    );
    assert.equal(field!.neverIndexed, true);
    assert.equal(encode(new HpackEncoder(), [fieldOf(":method: GET", { neverIndexed: true })]).length, 6 - 1);
  });

  test("larger than the table is sent without indexing and leaves the table alone", () => {
    const encoder = new HpackEncoder(64);
    const small = fieldOf("x-a: 1", index);
    encode(encoder, [small]);
    const bytes = encode(encoder, [fieldOf(`x-b: ${"y".repeat(64)}`, index)]);
    assert.equal(bytes[0], 0);
    assert.equal(encodeHex(encoder, [small]), "be");
  });

  test("that is remembered by one encoder is unknown to another", () => {
    const [a, b] = [new HpackEncoder(), new HpackEncoder()];
    const field = fieldOf("x-a: 1", index);
    encode(a, [field]);
    const block = encode(b, [field]);
    assert.deepEqual(lines(decode(new HpackDecoder(), block)), ["x-a: 1"]);
    assert.equal(encodeHex(a, [field]), "be");
  });

  test("that was evicted is sent again", () => {
    const encoder = new HpackEncoder(80);
    const decoder = new HpackDecoder(80);
    const fields = ["x-a: 1", "x-b: 2", "x-c: 3"].map((line) => fieldOf(line, index));
    for (let round = 0; round < 20; round++) {
      const field = fields[(round * 7) % 3]!;
      assert.deepEqual(
        decode(decoder, encode(encoder, [field, field])).map((f) => f.value),
        [field.value, field.value],
      );
    }
  });
});

describe("a field of our own", () => {
  const bad: Record<string, [string, string]> = {
    "with a line break": ["x-a", "a\nb"],
    "with a blank at its end": ["x-a", "a "],
    "with a character beyond latin1": ["x-a", "a\u20ac"],
    "with an upper-case name": ["X-a", "a"],
    "with an empty name": ["", "a"],
  };
  for (const [what, [name, value]] of Object.entries(bad)) {
    test(`${what} is a TypeError`, () => {
      assert.throws(() => makeField(internName(name), value), TypeError);
    });
  }

  test("knows its length and size", () => {
    const field = fieldOf("x-a: b\xe4");
    assert.equal(field.valueLength, 2);
    assert.equal(field.size, 37);
    assert.equal(field.neverIndexed, false);
    assert.equal(field.value, "b\xe4");
  });
});

describe("the peer's table size", () => {
  test("below ours is announced once and obeyed", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const field = fieldOf("x-a: 1", index);
    decode(decoder, encode(encoder, [field]));
    encoder.setPeerTableSize(0);
    decoder.setMaxTableSize(0);
    const block = encode(encoder, [field]);
    assert.equal(block[0], 0x20);
    assert.deepEqual(lines(decode(decoder, block)), ["x-a: 1"]);
    assert.equal(encode(encoder, [field])[0], 0);
  });

  test("above ours changes nothing", () => {
    const encoder = new HpackEncoder();
    encoder.setPeerTableSize(65536);
    assert.equal(encodeHex(encoder, [fieldOf(":method: GET")]), "82");
  });

  test("that changed several times is announced as the smallest and the last", () => {
    const encoder = new HpackEncoder();
    for (const size of [200, 30, 100]) encoder.setPeerTableSize(size);
    assert.equal(encodeHex(encoder, []), "3e3f45");
    for (const size of [30, 100]) encoder.setPeerTableSize(size);
    assert.equal(encodeHex(encoder, []), "3e3f45");
    for (const size of [200, 100]) encoder.setPeerTableSize(size);
    assert.equal(encodeHex(encoder, []), "");
    for (const size of [70000, 200]) encoder.setPeerTableSize(size);
    assert.equal(encodeHex(encoder, []), "3fa901");
    for (const size of [100, 70000]) encoder.setPeerTableSize(size);
    assert.equal(encodeHex(encoder, []), "3f453fe11f");
  });

  test("that fell and rose again has emptied the table", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const field = fieldOf("x-a: 1", index);
    decode(decoder, encode(encoder, [field]));
    encoder.setPeerTableSize(0);
    encoder.setPeerTableSize(4096);
    assert.deepEqual(lines(decode(decoder, encode(encoder, [field]))), ["x-a: 1"]);
    assert.equal(encodeHex(encoder, [field]), "be");
  });
});

describe("the bound", () => {
  test("covers the longest forms", () => {
    const encoder = new HpackEncoder();
    encoder.setPeerTableSize(0);
    encoder.setPeerTableSize(4000);
    const fields = [
      fieldOf(`x-${"n".repeat(300)}: ${"\xfe".repeat(70_000)}`, index),
      fieldOf(`x-${"m".repeat(300)}: ${"1".repeat(70_000)}`, { neverIndexed: true }),
      fieldOf(":method: GET"),
    ];
    const bound = encoder.sizeBound(fields);
    const block = encode(encoder, fields);
    assert.ok(block.length <= bound && bound < block.length + 200);
    assert.deepEqual(lines(decode(new HpackDecoder(), block)), lines(fields));
  });
});
