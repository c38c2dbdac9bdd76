import { Random } from "./random.ts";

/** No case is longer. */
const MAX_BYTES = 4096;
const MOST_EDITS = 6;

/** Bytes at which parsers change their mind: ends of ranges, single bits, prefixes of lengths. */
const TELLING = [
  0, 1, 2, 7, 8, 0x0f, 0x10, 0x1f, 0x20, 0x2f, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xc0, 0xfe, 0xff,
];

type Edit = (bytes: Buffer, random: Random, corpus: readonly Buffer[]) => Buffer;

/** A place to edit and the length of the stretch after it: mostly short. */
function stretch(length: number, random: Random): [at: number, end: number] {
  const at = random.below(length + 1);
  const reach = random.below(8) === 0 ? length : 8;
  return [at, Math.min(length, at + 1 + random.below(reach + 1))];
}

const EDITS: readonly Edit[] = [
  function flipBit(bytes, random) {
    if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    return bytes;
  },
  function setByte(bytes, random) {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  function setTelling(bytes, random) {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = TELLING[random.below(TELLING.length)]!;
    return bytes;
  },
  function nudge(bytes, random) {
    if (bytes.length > 0) bytes[random.below(bytes.length)]! += random.below(9) - 4;
    return bytes;
  },
  function remove(bytes, random) {
    const [at, end] = stretch(bytes.length, random);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
  },
  function repeat(bytes, random) {
    const [at, end] = stretch(bytes.length, random);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
  },
  function insert(bytes, random) {
    const at = random.below(bytes.length + 1);
    const added = Buffer.alloc(1 + random.below(8));
    const telling = random.below(2) === 0;
    for (let i = 0; i < added.length; i++)
      added[i] = telling ? TELLING[random.below(TELLING.length)]! : random.below(256);
    return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function splice(bytes, random, corpus) {
    const other = corpus[random.below(corpus.length)]!;
    const [at, end] = stretch(other.length, random);
    const to = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, to), other.subarray(at, end), bytes.subarray(to)]);
  },
];

/** Case number `index` of the run `seed`: an entry of the corpus (which has one at least) with a few edits. The caller may change it. */
export function mutated(corpus: readonly Buffer[], seed: number, index: number): Buffer {
  const random = new Random(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index, 0x85eb_ca6b));
  let bytes: Buffer = Buffer.from(corpus[random.below(corpus.length)]!);
  for (let edits = 1 + random.below(MOST_EDITS); edits > 0; edits--) {
    bytes = EDITS[random.below(EDITS.length)]!(bytes, random, corpus);
  }
  return bytes.subarray(0, MAX_BYTES);
}
