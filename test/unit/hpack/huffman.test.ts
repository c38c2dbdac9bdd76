import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLegalValue } from "../../../src/http2/hpack/characters.ts";
import { decodeHuffman, scanHuffmanValue } from "../../../src/http2/hpack/huffman.ts";
import {
  codeLength,
  codeOf,
  EOS,
  huffmanLength,
  writeHuffman,
} from "../../../src/http2/hpack/huffman-code.ts";
import { seeded } from "./support.ts";

function huffman(text: string): Buffer {
  const bytes = Buffer.alloc(huffmanLength(text));
  assert.equal(writeHuffman(text, bytes, 0), bytes.length);
  return bytes;
}

/** Bytes from a string of bits; blanks are ignored. */
function bits(text: string): Buffer {
  const digits = text.replaceAll(" ", "");
  assert.equal(digits.length % 8, 0);
  return Buffer.from((digits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function decoded(bytes: Buffer): string | null {
  return decodeHuffman(bytes, 0, bytes.length);
}

function scanned(bytes: Buffer): number {
  return scanHuffmanValue(bytes, 0, bytes.length);
}

describe("the Huffman code", () => {
  test("is complete: the lengths fill the code space exactly", () => {
    let space = 0;
    for (let symbol = 0; symbol <= EOS; symbol++) space += 2 ** -codeLength(symbol);
    assert.equal(space, 1);
  });

  test("has the codes that RFC 7541 prints", () => {
    const printed: [number, number][] = [
      [0, 0x1ff8],
      [9, 0xffffea],
      [10, 0x3ffffffc],
      [0x20, 0x14],
      [0x30, 0x0],
      [0x41, 0x21],
      [0x61, 0x3],
      [0x7a, 0x7b],
      [0x7f, 0xffffffc],
      [128, 0xfffe6],
      [255, 0x3ffffee],
      [EOS, 0x3fffffff],
    ];
    for (const [symbol, code] of printed) {
      assert.equal(codeOf(symbol), code, `symbol ${symbol}`);
    }
  });

  test("carries every pair of bytes there and back", () => {
    for (let a = 0; a < 256; a++) {
      let text = "";
      for (let b = 0; b < 256; b++) text += String.fromCharCode(a, b);
      const bytes = huffman(text);
      assert.equal(decoded(bytes), text);
      assert.equal(scanned(bytes) >> 1, text.length);
    }
  });

  test("decodes a part of a buffer", () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xff]), huffman("trailers"), Buffer.from([0xff, 0xff])]);
    assert.equal(decodeHuffman(bytes, 2, bytes.length - 2), "trailers");
    assert.equal(scanHuffmanValue(bytes, 2, bytes.length - 2), 16);
  });

  test("takes an empty string", () => {
    assert.equal(decoded(Buffer.alloc(0)), "");
    assert.equal(scanned(Buffer.alloc(0)), 0);
  });

  test("decodes strings far longer than usual", () => {
    const text = "e/".repeat(100_000);
    assert.equal(decoded(huffman(text)), text);
    assert.equal(decoded(huffman("short")), "short");
  });
});

describe("a Huffman string is refused", () => {
  const bad: Record<string, Buffer> = {
    "with padding of zeros": bits("00011 000"),
    "with padding that is not all ones": bits("00011 110"),
    "with eight bits of padding": bits("00011 111 11111111"),
    "that is nothing but padding": bits("11111111"),
    "with the EOS symbol": bits("00011 111111111111111111111111111111 11111"),
    "with the EOS symbol in the middle": bits("00011 111111111111111111111111111111 00011"),
    "that ends inside a long code": bits("11111111 11000000"),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    test(what, () => {
      assert.equal(decoded(bytes), null);
      assert.equal(scanned(bytes), -1);
    });
  }

  test("but not with the padding that is right", () => {
    assert.equal(decoded(bits("00011 111")), "a");
    assert.equal(decoded(bits("11111000")), "&");
  });
});

describe("scanning a value", () => {
  test("finds every byte that a value may not hold, wherever it stands", () => {
    for (let byte = 0; byte < 256; byte++) {
      for (const text of ["?", "a?", "?a", "ab?cd", "Mozilla?5"].map((t) =>
        t.replace("?", String.fromCharCode(byte)),
      )) {
        const plain = Buffer.from(text, "latin1");
        const legal = isLegalValue(plain, 0, plain.length);
        assert.equal(scanned(huffman(text)), text.length * 2 + (legal ? 0 : 1), JSON.stringify(text));
      }
    }
  });

  test("agrees with decoding for random bytes", () => {
    const random = seeded(7);
    let refused = 0;
    for (let round = 0; round < 50_000; round++) {
      const bytes = Buffer.from(
        Array.from({ length: Math.floor(random() * 6) }, () => Math.floor(random() * 256)),
      );
      const text = decoded(bytes);
      if (text === null) {
        refused++;
        assert.equal(scanned(bytes), -1, bytes.toString("hex"));
      } else {
        const plain = Buffer.from(text, "latin1");
        assert.equal(scanned(bytes), text.length * 2 + (isLegalValue(plain, 0, plain.length) ? 0 : 1));
        assert.deepEqual(huffman(text), bytes);
      }
    }
    assert.ok(refused > 1000 && refused < 49_000);
  });
});
