/** Free bytes kept before a payload, so that a frame header can be put in front of it without copying it. */
export const HEADROOM = 16;

/** A copy of `buffer[start,end)` that begins at `HEADROOM`. */
export function copyWithHeadroom(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(HEADROOM + end - start);
  buffer.copy(copy, HEADROOM, start, end);
  return copy;
}
