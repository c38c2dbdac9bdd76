/**
 * Frames of RFC 9113 as tests write and read them: any byte may be wrong on purpose. Nothing here is shared with the code under test.
 */

/** Frame types (RFC 9113 section 6). */
export const Type = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags (RFC 9113 section 6). */
export const Bit = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Error codes (RFC 9113 section 7). */
export const Code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

/** Setting identifiers (RFC 9113 section 6.5.2). */
export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** What a client opens a connection with (RFC 9113 section 3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame as it came off the wire; `headers` is filled in on a HEADERS or PUSH_PROMISE frame when its block is complete. */
export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
  headers?: [string, string][];
}

/** The name of an error code, for messages. */
export function codeName(code: number): string {
  return Object.keys(Code)[code] ?? String(code);
}

/** One line that tells what a frame is, for messages of failed assertions. */
export function describe({ type, flags, stream, payload, headers }: Frame): string {
  const name = Object.keys(Type)[type] ?? `type ${type}`;
  const code = type === Type.RST_STREAM && payload.length === 4 ? ` ${codeName(payload.readUInt32BE())}` : "";
  const goaway =
    type === Type.GOAWAY ? ` ${codeName(payload.readUInt32BE(4))} "${payload.subarray(8).toString()}"` : "";
  const list = headers === undefined ? "" : ` ${JSON.stringify(headers)}`;
  return `${name}${code}${goaway} stream=${stream} flags=${flags} length=${payload.length}${list}`;
}

/** A frame with a correct length field. `stream` is written as 32 bits, so that the reserved bit can be set. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  return Buffer.concat([header(payload.length, type, flags, stream), payload]);
}

/** The nine bytes of a frame header alone, for frames that lie about their length or never come. */
export function header(length: number, type: number, flags: number, stream: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeUIntBE(length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream >>> 0, 5);
  return bytes;
}

/** DATA without padding. */
export function data(stream: number, payload: Uint8Array, flags = 0): Buffer {
  return frame(Type.DATA, flags, stream, payload);
}

/** SETTINGS with `values` as identifier and value pairs. */
export function settings(...values: [id: number, value: number][]): Buffer {
  const payload = Buffer.alloc(6 * values.length);
  values.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  });
  return frame(Type.SETTINGS, 0, 0, payload);
}

/** SETTINGS with the ACK flag. */
export function settingsAck(): Buffer {
  return frame(Type.SETTINGS, Bit.ACK, 0);
}

/** PING; `ack` answers one. */
export function ping(payload: Uint8Array = Buffer.alloc(8), ack = false): Buffer {
  return frame(Type.PING, ack ? Bit.ACK : 0, 0, payload);
}

/** RST_STREAM. */
export function reset(stream: number, code: number): Buffer {
  return frame(Type.RST_STREAM, 0, stream, u32(code));
}

/** WINDOW_UPDATE; the increment is written as 32 bits. */
export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(Type.WINDOW_UPDATE, 0, stream, u32(increment));
}

/** GOAWAY. */
export function goaway(lastStream: number, code: number, debug = ""): Buffer {
  return frame(Type.GOAWAY, 0, 0, Buffer.concat([u32(lastStream), u32(code), Buffer.from(debug)]));
}

/** PRIORITY (deprecated, still on the wire). */
export function priority(stream: number, dependsOn: number, weight = 15): Buffer {
  return frame(Type.PRIORITY, 0, stream, Buffer.concat([u32(dependsOn), Buffer.of(weight)]));
}

/** Four bytes, big endian. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Cuts a byte stream into frames, however it is chunked. Believes every length field. */
export class FrameReader {
  private pieces: Buffer[] = [];
  private held = 0;
  private wanted = 9;

  /** Takes the next bytes and returns the frames they complete. */
  push(bytes: Buffer): Frame[] {
    this.pieces.push(bytes);
    this.held += bytes.length;
    const frames: Frame[] = [];
    if (this.held < this.wanted) return frames;
    const all = this.pieces.length === 1 ? bytes : Buffer.concat(this.pieces);
    let at = 0;
    this.wanted = 9;
    while (all.length - at >= 9) {
      const length = all.readUIntBE(at, 3);
      if (all.length - at < 9 + length) {
        this.wanted = 9 + length;
        break;
      }
      frames.push({
        type: all[at + 3]!,
        flags: all[at + 4]!,
        stream: all.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: all.subarray(at + 9, at + 9 + length),
      });
      at += 9 + length;
    }
    this.pieces = at === all.length ? [] : [all.subarray(at)];
    this.held = all.length - at;
    return frames;
  }
}
