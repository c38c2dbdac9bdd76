import { huffmanLength, writeHuffman } from "./huffman-code.ts";
import { writeInteger } from "./integer.ts";

/** Whether the Huffman form of a latin1 `text` is no longer than the plain one; false for an empty text. */
export function prefersHuffman(text: string): boolean {
  return text !== "" && huffmanLength(text) <= text.length;
}

/** The bytes of a latin1 `text` in the given form, without a length in front. */
export function rawBytes(text: string, huffman: boolean): Buffer {
  if (!huffman) return Buffer.from(text, "latin1");
  const bytes = Buffer.alloc(huffmanLength(text));
  writeHuffman(text, bytes, 0);
  return bytes;
}

/** A latin1 `text` as a whole string literal (RFC 7541 section 5.2), in the shorter of its two forms. */
export function stringLiteral(text: string): Buffer {
  const huffman = prefersHuffman(text);
  const raw = rawBytes(text, huffman);
  const literal = Buffer.alloc(raw.length + 6);
  const at = writeInteger(literal, 0, huffman ? 0x80 : 0, 0x7f, raw.length);
  raw.copy(literal, at);
  return literal.subarray(0, at + raw.length);
}
