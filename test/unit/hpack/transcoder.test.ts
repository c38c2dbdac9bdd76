import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HpackDecoder } from "../../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../../src/http2/hpack/encoder.ts";
import type { Field } from "../../../src/http2/hpack/field.ts";
import { hpack } from "../../fuzz/hpack.ts";
import { decode, encode, encodeHex, lines, seeded } from "./support.ts";

describe("from connection to connection", () => {
  test("random blocks, good and bad, with evictions and table size changes", () => {
    const random = seeded(2026);
    for (let round = 0; round < 3000; round++) {
      const length = Math.floor(random() * 400);
      hpack.run(Uint8Array.from({ length }, () => random() * 256));
    }
  });

  test("indexed stays indexed, Huffman stays Huffman, plain stays plain", () => {
    const decoder = new HpackDecoder();
    const encoder = new HpackEncoder();
    // The name is "x-" in Huffman form, which no shorter plain form replaces.
    for (const block of ["4082f2b7 0131", "7e810f", "bebf", "0f2f0131", "1f2f810f", "828688"]) {
      const hex = block.replace(" ", "");
      assert.equal(encodeHex(encoder, decode(decoder, hex)), hex);
    }
  });

  test("equal bytes in different forms are different values", () => {
    // 0x3f is "?" when plain; as a Huffman string it is "o" and three bits of padding.
    const decoder = new HpackDecoder();
    const encoder = new HpackEncoder();
    const receiver = new HpackDecoder();
    const fields = [...decode(decoder, "4002782d 013f"), ...decode(decoder, "7e 813f")];
    assert.deepEqual(lines(decode(receiver, encode(encoder, fields))), lines(fields));
    assert.notEqual(fields[0]!.value, fields[1]!.value);
  });

  test("names of equal bytes in different forms are different names", () => {
    const [plain] = decode(new HpackDecoder(), "00 013f 0131");
    const [huffman] = decode(new HpackDecoder(), "00 813f 0131");
    assert.notEqual(plain!.name.text, huffman!.name.text);
  });

  test("what was too large for one table may go into a larger one", () => {
    const decoder = new HpackDecoder(40);
    const encoder = new HpackEncoder();
    const receiver = new HpackDecoder();
    const bytes = Buffer.from("4002782d08 3132333435363738".replaceAll(" ", ""), "hex");
    const fields: Field[] = [];
    decoder.decode(bytes, 0, bytes.length, fields);
    decode(receiver, encode(encoder, fields));
    bytes.fill(0);
    assert.deepEqual(lines(fields), ["x-: 12345678"]);
    assert.deepEqual(lines(decode(receiver, encode(encoder, fields))), ["x-: 12345678"]);
  });

  test("an entry costs the encoder one byte even after the name was used for thousands of values", () => {
    const decoder = new HpackDecoder();
    const encoder = new HpackEncoder();
    decode(decoder, "4002782d 0131");
    for (let i = 0; i < 5000; i++) {
      const value = String(i).padStart(4, "0");
      const block = encodeHex(encoder, decode(decoder, `7e 04${Buffer.from(value).toString("hex")}`));
      if (i > 0) assert.equal(block, `7e04${Buffer.from(value).toString("hex")}`);
      assert.equal(encodeHex(encoder, decode(decoder, "be")), "be");
    }
  });

  test("thousands of names leave the last ones known", () => {
    const decoder = new HpackDecoder();
    const encoder = new HpackEncoder();
    for (let i = 0; i < 5000; i++) {
      const name = `782d${Buffer.from(String(i).padStart(4, "0")).toString("hex")}`;
      encode(encoder, decode(decoder, `4006${name}0131`));
      assert.equal(encodeHex(encoder, decode(decoder, `0f2f 0132`)), "0f2f0132");
    }
  });
});
