import type { FirstMessage } from "../translators/translator.ts";
import { PREFIX_BYTES } from "../wire/envelope.ts";

/** Bytes of a message that are waited for: names and numbers come before content. With its prefix they are in a DATA frame of the usual size. */
const MOST = 16 * 1024 - PREFIX_BYTES;

/** Bytes of a request as they came, in pieces. */
type Pieces = Iterable<{ readonly buffer: Buffer; readonly start: number; readonly end: number }>;

/**
 * The first message of a request: as far as it came, up to nearly 16 KiB; empty where none came, null where it is compressed. "more" where too little came to
 * see that much of it, unless that is `all`.
 */
export function firstMessage(pieces: Pieces, all: boolean): FirstMessage | null | "more" {
  const bytes = beginning(pieces, PREFIX_BYTES + MOST);
  if (bytes.length < PREFIX_BYTES)
    return all ? { bytes: bytes.subarray(bytes.length), whole: true, length: 0 } : "more";
  const length = bytes.readUInt32BE(1);
  if (!all && bytes.length - PREFIX_BYTES < Math.min(MOST, length)) return "more";
  if (bytes[0] !== 0) return null;
  const message = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
  return { bytes: message, whole: message.length === length, length };
}

/** No more than `most` bytes from the start of what came. */
function beginning(pieces: Pieces, most: number): Buffer {
  const parts: Buffer[] = [];
  let left = most;
  for (const { buffer, start, end } of pieces) {
    if (left === 0) break;
    const part = buffer.subarray(start, Math.min(end, start + left));
    parts.push(part);
    left -= part.length;
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
