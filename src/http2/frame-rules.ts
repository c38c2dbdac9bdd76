import { ErrorCode, Flag, FrameType } from "./constants.ts";

/** What a connection fails with. */
export interface FrameProblem {
  readonly code: number;
  readonly why: string;
}

/**
 * Checks what each type of frame but DATA must keep whatever the state of the connection (RFC 9113 section 6): its stream and the length of its
 * payload. Returns null if all is well.
 */
export function frameProblem(type: number, flags: number, id: number, length: number): FrameProblem | null {
  switch (type) {
    case FrameType.HEADERS:
      return id === 0 ? unexpected(type) : null;
    case FrameType.PRIORITY:
      return id === 0 ? unexpected(type) : null;
    case FrameType.RST_STREAM:
      return length !== 4 ? wrongSize(type) : id === 0 ? unexpected(type) : null;
    case FrameType.SETTINGS:
      if (id !== 0) return unexpected(type);
      return length % 6 !== 0 || ((flags & Flag.ACK) !== 0 && length > 0) ? wrongSize(type) : null;
    case FrameType.PUSH_PROMISE:
      return { code: ErrorCode.PROTOCOL_ERROR, why: "PUSH_PROMISE, which the bridge does not allow" };
    case FrameType.PING:
      return id !== 0 ? unexpected(type) : length !== 8 ? wrongSize(type) : null;
    case FrameType.GOAWAY:
      return id !== 0 ? unexpected(type) : length < 8 ? wrongSize(type) : null;
    case FrameType.WINDOW_UPDATE:
      return length !== 4 ? wrongSize(type) : null;
    default:
      return null;
  }
}

/** The problem of a frame that may not come in the state the connection or stream is in. */
export function unexpected(type: number): FrameProblem {
  return { code: ErrorCode.PROTOCOL_ERROR, why: `a frame of type ${type} where none may be` };
}

function wrongSize(type: number): FrameProblem {
  return { code: ErrorCode.FRAME_SIZE_ERROR, why: `a frame of type ${type} with a wrong size` };
}

/** Where the header block fragment lies in the payload of a HEADERS frame. */
export interface Fragment {
  start: number;
  end: number;
}

// Reused: one frame is looked at at a time.
const fragment: Fragment = { start: 0, end: 0 };

/**
 * Takes the padding and the priority off the payload `buffer[start,end)` of a HEADERS frame on stream `id` (section 6.2). The result is valid until
 * the next call.
 */
export function headersFragment(
  flags: number,
  id: number,
  buffer: Buffer,
  start: number,
  end: number,
): Fragment | FrameProblem {
  fragment.start = start;
  fragment.end = end;
  if ((flags & (Flag.PADDED | Flag.PRIORITY)) === 0) return fragment;
  const fixed = ((flags & Flag.PADDED) !== 0 ? 1 : 0) + ((flags & Flag.PRIORITY) !== 0 ? 5 : 0);
  if (end - start < fixed) return wrongSize(FrameType.HEADERS);
  if ((flags & Flag.PADDED) !== 0) {
    fragment.end -= buffer[start]!;
    fragment.start++;
  }
  if ((flags & Flag.PRIORITY) !== 0) {
    if (dependency(buffer, fragment.start) === id) {
      return { code: ErrorCode.PROTOCOL_ERROR, why: `stream ${id} depends on itself` };
    }
    fragment.start += 5;
  }
  if (fragment.end < fragment.start) {
    return { code: ErrorCode.PROTOCOL_ERROR, why: "HEADERS with more padding than payload" };
  }
  return fragment;
}

/** The stream that a priority, which begins at `at`, depends on. */
export function dependency(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) & 0x7fff_ffff;
}
