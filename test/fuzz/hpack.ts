/**
 * The header codec against a plain second decoder. A case is a connection's worth of blocks: the decoder must refuse or
 * accept each as the second one does and read the same fields, and what the encoder makes of them must read the same.
 */
import assert from "node:assert/strict";
import { HpackDecoder, HpackError } from "../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../src/http2/hpack/encoder.ts";
import type { Field } from "../../src/http2/hpack/field.ts";
import { huffmanLength, writeHuffman } from "../../src/http2/hpack/huffman-code.ts";
import { encodeInteger, type Header, HpackDecoder as SecondDecoder } from "../support/raw-h2/hpack.ts";
import { Choices } from "./choices.ts";

/** What only our decoder refuses: the second one knows no limits and reads size updates anywhere. */
const STRICTER = /size update|integer too long/;
const LEGAL_NAME = /^(?!$):?[\x21-\x39\x3b-\x40\x5b-\x7e]*$/;
const LEGAL_VALUE = /^(?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$/;
const ENCODER_SIZES = [4096, 4096, 256, 65536];

/** The choices of which blocks a connection sends. */
class BlockChoices extends Choices {
  /** Entries that the blocks so far have put into the table, at most as many as are surely still there. */
  entries = 0;
}

/** A string literal: few different names and values, so that they repeat; now and then any bytes at all. */
function stringLiteral(choices: BlockChoices): Buffer {
  const kind = choices.byte();
  const seed = choices.byte();
  if (kind >= 0xfa)
    return Buffer.concat([encodeInteger(kind & 1 ? 0x80 : 0, 7, seed & 15), choices.take(seed & 15)]);
  const letters = kind >= 0xe0 ? String.fromCharCode(seed) : `x-${seed % 5}`;
  const text = letters.repeat((kind & 0x40) !== 0 ? 1 + (seed >> 3) : 1);
  if ((kind & 1) === 0) return Buffer.concat([encodeInteger(0, 7, text.length), Buffer.from(text, "latin1")]);
  const raw = Buffer.alloc(huffmanLength(text));
  writeHuffman(text, raw, 0);
  return Buffer.concat([encodeInteger(0x80, 7, raw.length), raw]);
}

function literal(choices: BlockChoices, pattern: number, prefixBits: number): Buffer {
  const index = choices.byte() & 0x7f;
  const name = index < 64 ? stringLiteral(choices) : Buffer.alloc(0);
  return Buffer.concat([
    encodeInteger(pattern, prefixBits, index < 64 ? 0 : index - 63),
    name,
    stringLiteral(choices),
  ]);
}

/** A reference: mostly to an entry that is there, often in the dynamic table. */
function reference(choices: BlockChoices): Buffer {
  const reach = choices.byte();
  if (reach >= 0xfc) return encodeInteger(0x80, 7, choices.byte());
  return encodeInteger(0x80, 7, choices.entries === 0 ? 1 + (reach & 31) : 62 + (reach % choices.entries));
}

/** A literal that goes into the table. */
function indexing(choices: BlockChoices): Buffer {
  const field = literal(choices, 0x40, 6);
  choices.entries = Math.min(choices.entries + 1, 12);
  return field;
}

function sizeUpdate(choices: BlockChoices): Buffer {
  choices.entries = 0;
  return encodeInteger(0x20, 5, choices.byte() * 16);
}

/** The next block: mostly of whole fields, which reach deeper than chance would. */
function block(choices: BlockChoices): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const choice = choices.byte();
    if (choices.done || choice >= 0xe0) return Buffer.concat(parts);
    if (choice < 0x50) parts.push(indexing(choices));
    else if (choice < 0x68) parts.push(literal(choices, 0x00, 4));
    else if (choice < 0x70) parts.push(literal(choices, 0x10, 4));
    else if (choice < 0xd8) parts.push(reference(choices));
    else if (choice < 0xde && parts.length === 0) parts.push(sizeUpdate(choices));
    else if (choice === 0xdf) parts.push(Buffer.from(choices.take(3)));
  }
}

/** Our reading of a block, or the reason why it was refused. */
function read(decoder: HpackDecoder, wire: Buffer): Field[] | HpackError {
  const fields: Field[] = [];
  try {
    decoder.decode(wire, 0, wire.length, fields);
    return fields;
  } catch (error) {
    assert.ok(error instanceof HpackError, `a ${String(error)} instead of an HpackError`);
    return error;
  }
}

function readSecond(decoder: SecondDecoder, wire: Buffer): Header[] | null {
  try {
    return decoder.decode(wire);
  } catch {
    return null;
  }
}

function checkList(decoder: HpackDecoder, fields: readonly Field[], expected: readonly Header[]): void {
  assert.equal(fields.length, expected.length);
  let size = 0;
  let legal = true;
  for (const [i, [name, value]] of expected.entries()) {
    size += name.length + value.length + 32;
    legal &&= LEGAL_NAME.test(name) && LEGAL_VALUE.test(value);
    assert.equal(fields[i]!.name.text, name);
    assert.equal(fields[i]!.valueLength, value.length);
    // Asking for the text must change nothing, so half of the fields are forwarded without.
    if (i % 2 === 0) assert.equal(fields[i]!.value, value);
  }
  assert.equal(decoder.listSize, size);
  assert.equal(decoder.malformed, !legal);
}

function relay(encoder: HpackEncoder, fields: readonly Field[]): Buffer {
  const bound = encoder.sizeBound(fields);
  const out = Buffer.alloc(bound + 1, 0x55);
  const end = encoder.encode(fields, out, 1);
  assert.ok(end - 1 <= bound, `${end - 1} bytes, the bound was ${bound}`);
  assert.equal(out[0], 0x55);
  return out.subarray(1, end);
}

/** As deepEqual, which would be most of the time a case takes. */
function checkArrival(arrived: readonly Header[], expected: readonly Header[]): void {
  assert.equal(arrived.length, expected.length);
  for (const [i, [name, value]] of arrived.entries()) {
    if (name !== expected[i]![0] || value !== expected[i]![1]) assert.deepEqual(arrived, expected);
  }
}

/** The fuzz target: `bytes` are one connection. */
export const hpack = {
  name: "hpack",
  run(bytes: Uint8Array): void {
    const choices = new BlockChoices(bytes);
    const encoder = new HpackEncoder(Math.min(4096, ENCODER_SIZES[choices.byte() & 3]!));
    const decoder = new HpackDecoder();
    const second = new SecondDecoder();
    const receiver = new SecondDecoder();
    while (!choices.done) {
      const turn = choices.byte();
      if (turn < 0x20) encoder.setPeerTableSize(choices.byte() * 33);
      const wire = turn >= 0xf8 ? Buffer.from(choices.take(turn & 7)) : block(choices);
      const fields = read(decoder, wire);
      const expected = readSecond(second, wire);
      if (fields instanceof HpackError) {
        assert.ok(expected === null || STRICTER.test(fields.message), `refused: ${fields.message}`);
        return;
      }
      assert.ok(expected !== null, "accepted what the second decoder refuses");
      checkList(decoder, fields, expected);
      const forwarded = relay(encoder, fields);
      // The read buffer is reused: whatever still points there is now wrong.
      wire.fill(0xaa);
      checkArrival(receiver.decode(forwarded), expected);
    }
  },
};
