import { ErrorCode, FRAME_HEADER, FrameType, MAX_FRAME_PAYLOAD, MAX_WINDOW } from "./constants.ts";

const SettingId = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** What the peer allows us (RFC 9113 section 6.5.2), starting from the protocol's defaults. */
export interface PeerSettings {
  headerTableSize: number;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
}

/** The values that hold until the peer's first SETTINGS frame. */
export function defaultPeerSettings(): PeerSettings {
  return {
    headerTableSize: 4096,
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowSize: 65_535,
    maxFrameSize: MAX_FRAME_PAYLOAD,
  };
}

/**
 * Applies the payload of a SETTINGS frame, `buffer[start,end)`, to `settings`; unknown settings are ignored. Returns the error code the
 * connection must fail with, or NO_ERROR.
 */
export function applySettings(
  settings: PeerSettings,
  buffer: Buffer,
  start: number,
  end: number,
  fromServer: boolean,
): number {
  for (let at = start; at < end; at += 6) {
    const value = buffer.readUInt32BE(at + 2);
    switch (buffer.readUInt16BE(at)) {
      case SettingId.HEADER_TABLE_SIZE:
        settings.headerTableSize = value;
        break;
      case SettingId.ENABLE_PUSH:
        // A server must not send 1; nobody may send anything above it.
        if (value > (fromServer ? 0 : 1)) return ErrorCode.PROTOCOL_ERROR;
        break;
      case SettingId.MAX_CONCURRENT_STREAMS:
        settings.maxConcurrentStreams = value;
        break;
      case SettingId.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW) return ErrorCode.FLOW_CONTROL_ERROR;
        settings.initialWindowSize = value;
        break;
      case SettingId.MAX_FRAME_SIZE:
        if (value < MAX_FRAME_PAYLOAD || value > 0xff_ffff) return ErrorCode.PROTOCOL_ERROR;
        settings.maxFrameSize = value;
        break;
    }
  }
  return ErrorCode.NO_ERROR;
}

/** The SETTINGS frame the bridge opens a connection with. */
export function ownSettings(options: {
  server: boolean;
  maxStreams: number;
  initialWindow: number;
  maxHeaderList: number;
}): Buffer {
  const values: [number, number][] = [
    options.server ? [SettingId.MAX_CONCURRENT_STREAMS, options.maxStreams] : [SettingId.ENABLE_PUSH, 0],
    [SettingId.INITIAL_WINDOW_SIZE, options.initialWindow],
    [SettingId.MAX_HEADER_LIST_SIZE, options.maxHeaderList],
  ];
  const frame = Buffer.alloc(FRAME_HEADER + 6 * values.length);
  frame.writeUIntBE(6 * values.length, 0, 3);
  frame[3] = FrameType.SETTINGS;
  values.forEach(([id, value], i) => {
    frame.writeUInt16BE(id, FRAME_HEADER + 6 * i);
    frame.writeUInt32BE(value, FRAME_HEADER + 6 * i + 2);
  });
  return frame;
}
