import { FRAME_HEADER } from "./constants.ts";

/** Bytes before the data of a {@link copyWithHeadroom}. */
export const HEADROOM = FRAME_HEADER;

/** A copy of `buffer[start,end)` that begins at `HEADROOM`: the bytes before it are free for a frame header. */
export function copyWithHeadroom(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(HEADROOM + end - start);
  buffer.copy(copy, HEADROOM, start, end);
  return copy;
}
