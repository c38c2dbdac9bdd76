/** Content-defined chunking by FastCDC 2020, as FAST_CDC_2020 of the API wants it: normalisation level 2, seed 0 (D22). */
import { createHash } from "node:crypto";

/** How blobs are cut. */
export interface ChunkSizes {
  /** No chunk but the last is shorter. */
  readonly min: number;
  /** What chunks tend to: a power of two from 1 KiB to 1 MiB. */
  readonly average: number;
  /** No chunk is longer. */
  readonly max: number;
}

/**
 * The sizes that follow from the average, as the API fixes them.
 * @throws RangeError for an average that is no power of two from 1 KiB to 1 MiB.
 */
export function chunkSizes(average: number): ChunkSizes {
  const bits = Math.log2(average);
  if (!Number.isInteger(bits) || bits < 10 || bits > 20) {
    throw new RangeError(`${average} is no average chunk size: a power of two from 1024 to 1048576`);
  }
  return { min: average / 4, average, max: average * 4 };
}

/**
 * The masks of the reference implementation, by number of bits: a position is a cut if the hash has none of the bits of the mask. Given
 * as the upper and the lower 32 bits of 64; those for averages of 1 KiB to 1 MiB are used, two bits more before it and two less after.
 */
const MASKS: Readonly<Record<number, readonly [high: number, low: number]>> = {
  8: [0x0018, 0x00035300],
  9: [0x0190, 0x00353000],
  10: [0x5900, 0x03530000],
  11: [0xd900, 0x03530000],
  12: [0xd901, 0x03530000],
  13: [0xd903, 0x03530000],
  14: [0xd903, 0x13530000],
  15: [0xd90f, 0x03530000],
  16: [0xd903, 0x03537000],
  17: [0xd907, 0x03537000],
  18: [0xd907, 0x07537000],
  19: [0xd917, 0x07537000],
  20: [0xd917, 0x47537000],
  21: [0xd917, 0x67537000],
  22: [0xd937, 0x67537000],
};

/** For each byte, the first 64 bits of the MD5 of 64 such bytes. */
const GEAR_HIGH = new Uint32Array(256);
const GEAR_LOW = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  const md5 = createHash("md5").update(Buffer.alloc(64, byte)).digest();
  GEAR_HIGH[byte] = md5.readUInt32BE(0);
  GEAR_LOW[byte] = md5.readUInt32BE(4);
}

/** The length of the first chunk of `bytes`, which hold at least `max` bytes, or all that are left. */
export function firstChunk(bytes: Buffer, { min, average, max }: ChunkSizes): number {
  const end = Math.min(bytes.length, max);
  if (end <= min) return end;
  const bits = Math.log2(average);
  const scan = new Scan(bytes, min);
  const center = Math.min(average, end);
  return scan.to(center, MASKS[bits + 2]!) ?? scan.to(end, MASKS[bits - 2]!) ?? end;
}

/** The rolling hash over a chunk, in two halves: there are no 64-bit integers that are fast. */
class Scan {
  private readonly bytes: Buffer;
  private at: number;
  private high = 0;
  private low = 0;

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes;
    this.at = even(start);
  }

  /** The first cut before `end`, or null. Ends on even offsets, as the reference takes two bytes at a time. */
  to(end: number, [maskHigh, maskLow]: readonly [number, number]): number | null {
    const { bytes } = this;
    let { at, high, low } = this;
    for (const last = even(end); at < last; at++) {
      const byte = bytes[at]!;
      const sum = low * 2 + GEAR_LOW[byte]!;
      high = ((high << 1) + GEAR_HIGH[byte]! + Math.floor(sum / 2 ** 32)) | 0;
      low = sum >>> 0;
      if ((high & maskHigh) === 0 && (low & maskLow) === 0) return at;
    }
    this.at = at;
    this.high = high;
    this.low = low;
    return null;
  }
}

function even(offset: number): number {
  return offset - (offset % 2);
}

/** Cuts a stream into chunks. Holds about `max` bytes and one piece of the input at a time. */
export async function* cut(input: AsyncIterable<Buffer>, sizes: ChunkSizes): AsyncIterable<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  let pieces: Buffer[] = [];
  let waiting = 0;
  for await (const piece of input) {
    pieces.push(piece);
    waiting += piece.length;
    if (held.length + waiting < sizes.max) continue;
    held = Buffer.concat([held, ...pieces]);
    [pieces, waiting] = [[], 0];
    while (held.length >= sizes.max) {
      const length = firstChunk(held, sizes);
      yield held.subarray(0, length);
      held = held.subarray(length);
    }
  }
  held = Buffer.concat([held, ...pieces]);
  while (held.length > 0) {
    const length = firstChunk(held, sizes);
    yield held.subarray(0, length);
    held = held.subarray(length);
  }
}
