import { OK_HEADERS, OK_TRAILERS } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { encodeHeaders } from "../support/raw-h2/hpack.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { type UpstreamCase, upstreamCases } from "../support/raw-h2/upstream-cases.ts";

// The bridge's client half: every frame type of RFC 9113 section 6, and the frame layer of sections 3 to 5, as an upstream
// can get them wrong. What breaks the connection costs its calls an UNAVAILABLE; the client's own connection goes on.

const { Type, Bit, Setting } = h2;
const MAX_WINDOW = 0x7fff_ffff;
const empty = Buffer.alloc(0);
const head = encodeHeaders(OK_HEADERS);

function breaks(rule: string, code: keyof typeof h2.Code, ...bytes: Buffer[]): UpstreamCase {
  return {
    rule,
    attack: (upstream) => upstream.send(...bytes),
    verdict: { connection: code },
    call: "status 14",
    message: /lost the connection to the upstream/,
  };
}

/** A rule that is kept on purpose, so that the call goes well. */
function tolerated(rule: string, ...bytes: Buffer[]): UpstreamCase {
  return {
    rule,
    attack: (upstream) => {
      upstream.send(...bytes);
      finish(upstream);
    },
    verdict: "ignored",
    call: "status 0",
  };
}

function finish(upstream: RawPeer): void {
  upstream.sendHeaders(1, OK_HEADERS);
  upstream.sendHeaders(1, OK_TRAILERS, Bit.END_STREAM);
}

function opening(rule: string, ...bytes: Buffer[]): UpstreamCase {
  return { ...breaks(rule, "PROTOCOL_ERROR"), opening: Buffer.concat(bytes), message: /HTTP\/2/ };
}

const start: UpstreamCase[] = [
  opening("3.4 the first frame is no SETTINGS", h2.ping()),
  opening("3.4 the first frame acknowledges SETTINGS", h2.settingsAck()),
];

const format: UpstreamCase[] = [
  tolerated(
    "4.1 and 5.5 frames of unknown types and undefined flags",
    h2.frame(0xbe, 0xff, 0, Buffer.alloc(9)),
    h2.frame(0xbe, 0xff, 1, Buffer.alloc(16_384)),
    h2.frame(Type.PING, 0xfe, 0x8000_0000, Buffer.alloc(8)),
  ),
  ...[Type.DATA, Type.HEADERS, Type.SETTINGS, 0xbe].map((type) =>
    breaks(
      `4.2 a frame of type ${type} above 2^14 bytes`,
      "FRAME_SIZE_ERROR",
      h2.header(16_385, type, 0, 1),
      Buffer.alloc(16_385),
    ),
  ),
  breaks(
    "5.5 an unknown type inside a header block",
    "PROTOCOL_ERROR",
    h2.frame(Type.HEADERS, 0, 1, head),
    h2.frame(0xbe, 0, 1),
  ),
];

const streams: UpstreamCase[] = [
  ...[
    ["0", 0],
    ["that was never opened", 3],
    ["that only a server could open", 2],
  ].flatMap(([which, id]) => [
    breaks(`5.1 DATA on stream ${which}`, "PROTOCOL_ERROR", h2.data(id as number, Buffer.from("x"))),
    breaks(
      `5.1 HEADERS on stream ${which}`,
      "PROTOCOL_ERROR",
      h2.frame(Type.HEADERS, Bit.END_HEADERS, id as number, head),
    ),
    breaks(`5.1 RST_STREAM on stream ${which}`, "PROTOCOL_ERROR", h2.reset(id as number, 8)),
  ]),
  breaks("5.1 WINDOW_UPDATE on a stream that was never opened", "PROTOCOL_ERROR", h2.windowUpdate(3, 1)),
  {
    rule: "5.1 DATA on a stream that the upstream has ended",
    attack: (upstream) => {
      finish(upstream);
      upstream.send(h2.data(1, Buffer.from("x")));
    },
    verdict: { stream: 1, code: "STREAM_CLOSED" },
    call: "status 0",
  },
  {
    rule: "5.1 HEADERS on a stream that the upstream has ended",
    attack: (upstream) => {
      finish(upstream);
      upstream.sendHeaders(1, OK_TRAILERS, Bit.END_STREAM);
    },
    verdict: { stream: 1, code: "STREAM_CLOSED" },
    call: "status 0",
  },
];

const late: UpstreamCase[] = [
  {
    rule: "5.1 WINDOW_UPDATE, RST_STREAM and PRIORITY on a stream that the upstream has ended are legal",
    attack: (upstream) => {
      finish(upstream);
      upstream.send(h2.windowUpdate(1, 5), h2.priority(1, 0), h2.reset(1, h2.Code.NO_ERROR));
      upstream.send(h2.windowUpdate(1, 5), h2.priority(1, 0), h2.reset(1, h2.Code.NO_ERROR));
    },
    verdict: "ignored",
    call: "status 0",
  },
];

const data: UpstreamCase[] = [
  breaks(
    "6.1 padding as long as the payload",
    "PROTOCOL_ERROR",
    h2.frame(Type.DATA, Bit.PADDED, 1, Buffer.from([2, 0])),
  ),
  breaks("6.1 PADDED without a pad length", "FRAME_SIZE_ERROR", h2.frame(Type.DATA, Bit.PADDED, 1)),
  {
    rule: "6.1 DATA before the head of the response",
    attack: (upstream) => upstream.send(h2.data(1, Buffer.from("x"))),
    verdict: { stream: 1, code: "PROTOCOL_ERROR" },
    call: "status 13",
    message: /PROTOCOL_ERROR/,
  },
];

const headers: UpstreamCase[] = [
  breaks(
    "6.2 padding longer than what is left",
    "PROTOCOL_ERROR",
    h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PADDED, 1, Buffer.from([9, 0x88])),
  ),
  breaks(
    "6.2 PADDED without a pad length",
    "FRAME_SIZE_ERROR",
    h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PADDED, 1),
  ),
  breaks(
    "6.2 PRIORITY flag with less than five bytes",
    "FRAME_SIZE_ERROR",
    h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PRIORITY, 1, Buffer.alloc(4)),
  ),
  {
    rule: "6.2 padding and priority are taken off",
    attack: (upstream) => {
      const payload = Buffer.concat([Buffer.of(3), h2.u32(0), Buffer.of(15), head, Buffer.alloc(3)]);
      upstream.send(h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PADDED | Bit.PRIORITY, 1, payload));
      upstream.sendHeaders(1, OK_TRAILERS, Bit.END_STREAM);
    },
    verdict: "ignored",
    call: "status 0",
  },
  breaks("6.3 PRIORITY on stream 0", "PROTOCOL_ERROR", h2.priority(0, 1)),
  {
    rule: "6.3 PRIORITY of another length than five",
    attack: (upstream) => upstream.send(h2.frame(Type.PRIORITY, 0, 1, Buffer.alloc(4))),
    verdict: { stream: 1, code: "FRAME_SIZE_ERROR" },
    call: "status 13",
    message: /FRAME_SIZE_ERROR/,
  },
  breaks(
    "6.4 RST_STREAM of another length than four",
    "FRAME_SIZE_ERROR",
    h2.frame(Type.RST_STREAM, 0, 1, Buffer.alloc(5)),
  ),
];

const settings: UpstreamCase[] = [
  breaks(
    "6.5 SETTINGS with ACK and a payload",
    "FRAME_SIZE_ERROR",
    h2.frame(Type.SETTINGS, Bit.ACK, 0, Buffer.alloc(6)),
  ),
  breaks("6.5 SETTINGS on a stream", "PROTOCOL_ERROR", h2.frame(Type.SETTINGS, 0, 1)),
  breaks(
    "6.5 SETTINGS whose length is no multiple of six",
    "FRAME_SIZE_ERROR",
    h2.frame(Type.SETTINGS, 0, 0, Buffer.alloc(5)),
  ),
  breaks("6.5.2 ENABLE_PUSH of 1 from a server", "PROTOCOL_ERROR", h2.settings([Setting.ENABLE_PUSH, 1])),
  breaks(
    "6.5.2 INITIAL_WINDOW_SIZE of 2^31",
    "FLOW_CONTROL_ERROR",
    h2.settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 31]),
  ),
  breaks("6.5.2 MAX_FRAME_SIZE below 2^14", "PROTOCOL_ERROR", h2.settings([Setting.MAX_FRAME_SIZE, 16_383])),
  breaks("6.5.2 MAX_FRAME_SIZE of 2^24", "PROTOCOL_ERROR", h2.settings([Setting.MAX_FRAME_SIZE, 2 ** 24])),
  tolerated(
    "6.5.2 unknown settings and every legal extreme",
    h2.settings(
      [0xbeef, 1],
      [Setting.ENABLE_PUSH, 0],
      [Setting.HEADER_TABLE_SIZE, 0],
      [Setting.MAX_FRAME_SIZE, 0xff_ffff],
    ),
    h2.settings([Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW], [Setting.HEADER_TABLE_SIZE, 0xffff_ffff]),
  ),
  breaks(
    "6.6 PUSH_PROMISE, which the bridge has disabled",
    "PROTOCOL_ERROR",
    h2.frame(Type.PUSH_PROMISE, Bit.END_HEADERS, 1, Buffer.concat([h2.u32(2), head])),
  ),
];

const control: UpstreamCase[] = [
  breaks("6.7 PING on a stream", "PROTOCOL_ERROR", h2.frame(Type.PING, 0, 1, Buffer.alloc(8))),
  breaks(
    "6.7 PING of another length than eight",
    "FRAME_SIZE_ERROR",
    h2.frame(Type.PING, 0, 0, Buffer.alloc(9)),
  ),
  breaks("6.8 GOAWAY on a stream", "PROTOCOL_ERROR", h2.frame(Type.GOAWAY, 0, 1, Buffer.alloc(8))),
  breaks("6.8 GOAWAY that is too short", "FRAME_SIZE_ERROR", h2.frame(Type.GOAWAY, 0, 0, Buffer.alloc(4))),
  breaks("6.9 WINDOW_UPDATE of 0 on the connection", "PROTOCOL_ERROR", h2.windowUpdate(0, 0)),
  breaks(
    "6.9 WINDOW_UPDATE of another length than four",
    "FRAME_SIZE_ERROR",
    h2.frame(Type.WINDOW_UPDATE, 0, 1, Buffer.alloc(3)),
  ),
  breaks("6.9.1 the connection's window above 2^31-1", "FLOW_CONTROL_ERROR", h2.windowUpdate(0, MAX_WINDOW)),
  breaks(
    "6.9.2 SETTINGS that raise a stream's window above 2^31-1",
    "FLOW_CONTROL_ERROR",
    h2.windowUpdate(1, 1),
    h2.settings([Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW]),
  ),
  {
    rule: "6.9 WINDOW_UPDATE of 0 on a stream",
    attack: (upstream) => upstream.send(h2.windowUpdate(1, 0)),
    verdict: { stream: 1, code: "PROTOCOL_ERROR" },
    call: "status 13",
    message: /PROTOCOL_ERROR/,
  },
  {
    rule: "6.9.1 a stream's window above 2^31-1",
    attack: (upstream) => upstream.send(h2.windowUpdate(1, MAX_WINDOW)),
    verdict: { stream: 1, code: "FLOW_CONTROL_ERROR" },
    call: "status 13",
    message: /FLOW_CONTROL_ERROR/,
  },
  breaks(
    "6.10 CONTINUATION without a header block",
    "PROTOCOL_ERROR",
    h2.frame(Type.CONTINUATION, Bit.END_HEADERS, 1),
  ),
  breaks(
    "6.10 CONTINUATION of another stream",
    "PROTOCOL_ERROR",
    h2.frame(Type.HEADERS, 0, 1, head),
    h2.frame(Type.CONTINUATION, 4, 3, empty),
  ),
  breaks(
    "6.10 DATA inside a header block",
    "PROTOCOL_ERROR",
    h2.frame(Type.HEADERS, 0, 1, head),
    h2.data(1, Buffer.from("x")),
  ),
  breaks("6.10 PING inside a header block", "PROTOCOL_ERROR", h2.frame(Type.HEADERS, 0, 1, head), h2.ping()),
  breaks(
    "6.10 CONTINUATION frames without an end",
    "ENHANCE_YOUR_CALM",
    h2.frame(Type.HEADERS, 0, 1, head),
    ...Array.from({ length: 2_000 }, () => h2.frame(Type.CONTINUATION, 0, 1)),
  ),
];

upstreamCases([...start, ...format, ...streams, ...late, ...data, ...headers, ...settings, ...control]);
