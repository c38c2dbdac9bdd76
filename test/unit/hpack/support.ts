import type { HpackDecoder } from "../../../src/http2/hpack/decoder.ts";
import type { HpackEncoder } from "../../../src/http2/hpack/encoder.ts";
import { type Field, makeField } from "../../../src/http2/hpack/field.ts";
import { internName } from "../../../src/http2/hpack/name.ts";

/** Decodes one block given as hex (blanks allowed) or bytes. */
export function decode(decoder: HpackDecoder, block: string | Uint8Array): Field[] {
  const bytes =
    typeof block === "string" ? Buffer.from(block.replaceAll(" ", ""), "hex") : Buffer.from(block);
  const fields: Field[] = [];
  decoder.decode(bytes, 0, bytes.length, fields);
  return fields;
}

/** Encodes one block into a buffer of exactly the promised bound, at an offset that is not 0. */
export function encode(encoder: HpackEncoder, fields: readonly Field[]): Buffer {
  const out = Buffer.alloc(7 + encoder.sizeBound(fields));
  return out.subarray(7, encoder.encode(fields, out, 7));
}

/** {@link encode} as hex. */
export function encodeHex(encoder: HpackEncoder, fields: readonly Field[]): string {
  return encode(encoder, fields).toString("hex");
}

/** Fields as `name: value` lines. */
export function lines(fields: readonly Field[]): string[] {
  return fields.map((field) => `${field.name.text}: ${field.value}`);
}

/** A field of our own from a `name: value` line. */
export function fieldOf(line: string, options?: Parameters<typeof makeField>[2]): Field {
  const colon = line.indexOf(": ");
  return makeField(internName(line.slice(0, colon)), line.slice(colon + 2), options);
}

/** A repeatable source of numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}
