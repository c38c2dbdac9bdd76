/** Free bytes kept before a payload, so that a frame header can be put in front of it without copying it. */
export const HEADROOM = 16;

/** A copy of `buffer[start,end)` that begins at `HEADROOM`, in memory of its own. */
export function copyWithHeadroom(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(HEADROOM + end - start);
  buffer.copy(copy, HEADROOM, start, end);
  return copy;
}

/**
 * A copy of `buffer[start,end)` in memory of its own. A small buffer from Node's pool would keep all 64 KiB of that alive for as long as
 * it is kept itself.
 */
export function ownCopy(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(copy, 0, start, end);
  return copy;
}
