/** SHA256TREE: SHA-256 of leaves of 1 KiB, joined in a binary tree by single runs of its block cipher (D09). */
import { hash as digest } from "node:crypto";

const LEAF_BYTES = 1024;

/** Hashes a blob that comes in pieces. */
export class Sha256Tree {
  private readonly leaf = Buffer.alloc(LEAF_BYTES);
  private filled = 0;
  /** Hashes of whole subtrees, left to right, each with its number of leaves: powers of two that fall. */
  private readonly subtrees: { hash: Buffer; leaves: number }[] = [];

  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      // A full leaf is kept until more comes: the last leaf may be full, but is never followed by an empty one.
      if (this.filled === LEAF_BYTES) this.addLeaf();
      const end = Math.min(chunk.length, at + LEAF_BYTES - this.filled);
      this.leaf.set(chunk.subarray(at, end), this.filled);
      this.filled += end - at;
      at = end;
    }
  }

  /** The hash of all that came, in hexadecimal. Call it once. */
  finish(): string {
    let right = this.leafHash();
    while (this.subtrees.length > 0) right = join(this.subtrees.pop()!.hash, right);
    return right.toString("hex");
  }

  private addLeaf(): void {
    let added = { hash: this.leafHash(), leaves: 1 };
    while (this.subtrees.at(-1)?.leaves === added.leaves) {
      added = { hash: join(this.subtrees.pop()!.hash, added.hash), leaves: added.leaves * 2 };
    }
    this.subtrees.push(added);
    this.filled = 0;
  }

  private leafHash(): Buffer {
    return digest("sha256", this.leaf.subarray(0, this.filled), "buffer");
  }
}

const PRIMES: readonly number[] = primes(64);

/** The constants of SHA-256 for its 64 rounds, and the start values that are of this function alone (the 9th to 16th prime). */
const ROUNDS = Uint32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = PRIMES.slice(8, 16).map((prime) => fraction(Math.sqrt(prime)));

/** One run of the block cipher over both hashes, without the final addition of plain SHA-256. */
function join(left: Buffer, right: Buffer): Buffer {
  const words = schedule(left, right);
  let [a, b, c, d, e, f, g, h] = START as [number, number, number, number, number, number, number, number];
  for (let round = 0; round < 64; round++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + s1 + choice + ROUNDS[round]! + words[round]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + s0 + majority) | 0];
  }
  const joined = Buffer.alloc(32);
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) joined.writeInt32BE(word | 0, index * 4);
  return joined;
}

/** The message of 64 bytes, spread over the rounds as SHA-256 does. */
function schedule(left: Buffer, right: Buffer): Int32Array {
  const words = new Int32Array(64);
  for (let index = 0; index < 8; index++) {
    words[index] = left.readInt32BE(index * 4);
    words[index + 8] = right.readInt32BE(index * 4);
  }
  for (let index = 16; index < 64; index++) {
    const [near, far] = [words[index - 2]!, words[index - 15]!];
    const s0 = rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3);
    const s1 = rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10);
    words[index] = words[index - 16]! + s0 + words[index - 7]! + s1;
  }
  return words;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** The first 32 bits after the point. */
function fraction(value: number): number {
  return Math.floor((value - Math.floor(value)) * 2 ** 32);
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}
