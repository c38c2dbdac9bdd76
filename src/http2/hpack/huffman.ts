import { illegalInValue, isBlank } from "./characters.ts";
import { codeLength, codeOf, EOS } from "./huffman-code.ts";

/**
 * Huffman strings, read one byte at a time: a state is an inner node of the code tree (256 of them, 0 the root), and one
 * look-up per byte says where the byte leads, how many symbols (0 to 2) it completes and whether one of them is illegal.
 * So a value can be checked and counted without being decoded.
 */

/** A step holds the next state where the next index wants it, so that the chain of look-ups is as short as can be. */
const STATE = 0xff00;
const COUNT = 3;
const ILLEGAL = 1 << 2;
const ENDED = 1 << 3;

/** By `state << 8 | byte`: next state (high byte), completed symbols (two bits), ILLEGAL, ENDED (the EOS symbol). */
const steps = new Uint16Array(65536);
/** By `state << 8 | byte`: the completed symbols, the first in the low byte. */
const symbols = new Uint16Array(65536);
/** 1 for each state in which a string may end: at most seven bits, all ones, since the last symbol. */
const mayEnd = new Uint8Array(256);

buildTables();

/** The tree as pairs of children; a leaf is stored as -1 - symbol. */
function buildTree(): number[][] {
  const tree: number[][] = [[]];
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0;
    for (let left = codeLength(symbol) - 1; left > 0; left--) {
      const bit = (codeOf(symbol) >>> left) & 1;
      const inner = tree[node]!;
      inner[bit] ??= tree.push([]) - 1;
      node = inner[bit];
    }
    tree[node]![codeOf(symbol) & 1] = -1 - symbol;
  }
  return tree;
}

function buildTables(): void {
  const tree = buildTree();
  for (let state = 0; state < 256; state++) {
    for (let byte = 0; byte < 256; byte++) {
      const at = (state << 8) | byte;
      let node = state;
      let count = 0;
      let flags = 0;
      for (let bit = 7; bit >= 0; bit--) {
        node = tree[node]![(byte >>> bit) & 1]!;
        if (node >= 0) continue;
        const symbol = -1 - node;
        node = 0;
        if (symbol === EOS) {
          flags |= ENDED;
        } else {
          symbols[at] = symbols[at]! | (symbol << (8 * count++));
          if (illegalInValue[symbol] === 1) flags |= ILLEGAL;
        }
      }
      steps[at] = (node << 8) | count | flags;
    }
  }
  let node = 0;
  for (let ones = 0; ones <= 7; ones++) {
    mayEnd[node] = 1;
    node = tree[node]![1]!;
  }
}

/**
 * Checks the Huffman string `[start, end)` as a field value (RFC 7541 section 5.2, RFC 9113 section 8.2.1).
 * Returns -1 if it is no Huffman string (EOS inside, or padding that is too long or not all ones), else twice its decoded
 * length, plus 1 if the value holds a byte that a field value may not hold.
 */
export function scanHuffmanValue(buf: Buffer, start: number, end: number): number {
  let state = 0;
  let count = 0;
  let seen = 0;
  for (let i = start; i < end; i++) {
    const step = steps[state | buf[i]!]!;
    state = step & STATE;
    count += step & COUNT;
    seen |= step;
  }
  if ((seen & ENDED) !== 0 || mayEnd[state >> 8] === 0) return -1;
  const illegal = (seen & ILLEGAL) !== 0 || (mayTouchBlank(buf, start, end) && touchesBlank(buf, start, end));
  return count * 2 + (illegal ? 1 : 0);
}

/**
 * False for nearly every value that neither starts nor ends with a blank, from three bytes of it. The code of SP is
 * 010100, that of HTAB is ffffea; both end in 0, so the ones at the end of the last byte are padding.
 */
function mayTouchBlank(buf: Buffer, start: number, end: number): boolean {
  if (start === end) return false;
  const first = buf[start]!;
  if (first >> 2 === 0x14 || first === 0xff) return true;
  const tail = ((end - start > 1 ? buf[end - 2]! : 0) << 8) | buf[end - 1]!;
  const coded = tail >> (31 - Math.clz32(~tail & (tail + 1)));
  return (coded & 0x3f) === 0x14 || (coded & 0xff) === 0xea;
}

function touchesBlank(buf: Buffer, start: number, end: number): boolean {
  const text = decodeHuffman(buf, start, end)!;
  return isBlank(text.charCodeAt(0)) || isBlank(text.charCodeAt(text.length - 1));
}

let scratch = Buffer.allocUnsafe(1024);

/** The text (latin1) of the Huffman string `[start, end)`, or null if it is no Huffman string. */
export function decodeHuffman(buf: Buffer, start: number, end: number): string | null {
  const most = 2 * (end - start);
  const out = most <= scratch.length ? scratch : growScratch(most);
  let state = 0;
  let length = 0;
  let seen = 0;
  for (let i = start; i < end; i++) {
    const at = state | buf[i]!;
    const step = steps[at]!;
    const pair = symbols[at]!;
    out[length] = pair;
    out[length + 1] = pair >> 8;
    length += step & COUNT;
    state = step & STATE;
    seen |= step;
  }
  return (seen & ENDED) !== 0 || mayEnd[state >> 8] === 0 ? null : out.toString("latin1", 0, length);
}

/** A buffer for one long string; kept for the next one unless it is so long that it must be a rare guest. */
function growScratch(size: number): Buffer {
  if (size > 65536) return Buffer.allocUnsafeSlow(size);
  scratch = Buffer.allocUnsafe(size);
  return scratch;
}
