/** Writing of protobuf varints. */

/** The most bytes a varint takes. */
export const MAX_VARINT_BYTES = 10;

/** Writes an integer at `target[at]` and returns the offset after it. `value` is safe and not negative. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  let offset = at;
  while (rest >= 128) {
    target[offset++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[offset++] = rest;
  return offset;
}

/** Writes the 64 low bits of a bigint at `target[at]` and returns the offset after it; a negative one takes ten bytes. */
export function writeVarint64(target: Buffer, at: number, value: bigint): number {
  let rest = BigInt.asUintN(64, value);
  let offset = at;
  while (rest >= 128n) {
    target[offset++] = Number(rest & 127n) | 128;
    rest >>= 7n;
  }
  target[offset++] = Number(rest);
  return offset;
}
