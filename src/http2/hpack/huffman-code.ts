/**
 * The Huffman code of RFC 7541 Appendix B. The code is canonical: codes of one length are consecutive in symbol
 * order, and each length starts where the previous one ended. So the lengths alone say everything.
 */

/** The symbol that may never be sent; its leading ones pad the last byte. */
export const EOS = 256;

const lengths = Uint8Array.of(
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
);

const codes = canonicalCodes();

function canonicalCodes(): Uint32Array {
  const result = new Uint32Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= 30; length++) {
    code *= 2;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === length) result[symbol] = code++;
    }
  }
  return result;
}

/** Length in bits (5 to 30) of the code of a symbol (0 to 255, or {@link EOS}). */
export function codeLength(symbol: number): number {
  return lengths[symbol]!;
}

/** The code of a symbol, right-aligned. */
export function codeOf(symbol: number): number {
  return codes[symbol]!;
}

/** Bytes that {@link writeHuffman} needs for `text`, whose characters must all be below 256. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += lengths[text.charCodeAt(i)]!;
  return Math.ceil(bits / 8);
}

/** Writes the Huffman form of a latin1 `text` at `at` and returns the offset behind it. */
export function writeHuffman(text: string, out: Uint8Array, at: number): number {
  let pending = 0;
  let bits = 0;
  let offset = at;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const code = codes[symbol]!;
    let left = lengths[symbol]!;
    while (left > 0) {
      const take = Math.min(left, 8 - bits);
      left -= take;
      pending = (pending << take) | ((code >>> left) & ((1 << take) - 1));
      bits += take;
      if (bits === 8) {
        out[offset++] = pending;
        pending = 0;
        bits = 0;
      }
    }
  }
  if (bits > 0) {
    const padding = 8 - bits;
    out[offset++] = (pending << padding) | ((1 << padding) - 1);
  }
  return offset;
}
