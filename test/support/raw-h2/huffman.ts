/**
 * Code lengths of symbols 0-256 (RFC 7541 appendix B), one base-36 digit each. The code is canonical, so the lengths are all there is to it.
 */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad677777777777777777777" +
  "77878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmo" +
  "lmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

type Node = [Node | number | undefined, Node | number | undefined];

const root = buildTree();

/** Decodes a Huffman coded string. Throws on the EOS symbol and on padding that is longer than 7 bits or not all ones. */
export function huffmanDecode(bytes: Buffer): Buffer {
  const out: number[] = [];
  let node = root;
  let depth = 0;
  let ones = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const value = (byte >> bit) & 1;
      ones &&= value === 1;
      depth++;
      const next = node[value as 0 | 1];
      if (next === undefined) throw new Error("Huffman code that does not exist");
      if (typeof next !== "number") {
        node = next;
        continue;
      }
      if (next === 256) throw new Error("EOS inside a Huffman string");
      out.push(next);
      node = root;
      depth = 0;
      ones = true;
    }
  }
  if (depth > 7 || !ones) throw new Error("bad Huffman padding");
  return Buffer.from(out);
}

function buildTree(): Node {
  const symbols = [...LENGTHS].map((digit, symbol) => ({ symbol, length: Number.parseInt(digit, 36) }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  const tree: Node = [undefined, undefined];
  let code = -1;
  let previous = symbols[0]!.length;
  for (const { symbol, length } of symbols) {
    code = (code + 1) * 2 ** (length - previous);
    previous = length;
    insert(tree, code, length, symbol);
  }
  return tree;
}

function insert(tree: Node, code: number, length: number, symbol: number): void {
  let node = tree;
  for (let bit = length - 1; bit > 0; bit--) {
    const side = ((code >> bit) & 1) as 0 | 1;
    node[side] ??= [undefined, undefined];
    node = node[side] as Node;
  }
  node[(code & 1) as 0 | 1] = symbol;
}
