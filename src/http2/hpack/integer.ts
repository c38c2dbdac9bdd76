/** The most bytes that {@link writeInteger} writes for values below 2^28. */
export const MAX_INTEGER_BYTES = 6;

/**
 * Writes an integer with a prefix (RFC 7541 section 5.1) and returns the offset behind it. `mask` is the largest value of
 * the prefix (0x7f for seven bits); `pattern` holds the bits above it.
 */
export function writeInteger(out: Buffer, at: number, pattern: number, mask: number, value: number): number {
  if (value < mask) {
    out[at] = pattern | value;
    return at + 1;
  }
  out[at] = pattern | mask;
  let offset = at + 1;
  let rest = value - mask;
  while (rest >= 0x80) {
    out[offset++] = 0x80 | (rest & 0x7f);
    rest >>>= 7;
  }
  out[offset] = rest;
  return offset + 1;
}
