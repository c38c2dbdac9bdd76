/**
 * The frame parser against a plain splitter: fed in pieces of any size it must report the frames that are there, byte for byte, up to the
 * first that breaks a rule, and nothing after it.
 */
import assert from "node:assert/strict";
import { PREFACE } from "../../src/http2/constants.ts";
import { type FrameHandler, FrameParser } from "../../src/http2/frame-parser.ts";
import type { FuzzTarget } from "./target.ts";

const DATA = 0;
const LIMIT = 16_384;

/** What a parser reports. Parts of DATA frames that follow one another on a stream are one event. */
type Event =
  | { kind: "data"; stream: number; bytes: string; padding: number; fin: boolean }
  | { kind: "frame"; type: number; flags: number; stream: number; bytes: string }
  | { kind: "violation"; code: number };

class Recorder {
  readonly events: Event[] = [];

  data(stream: number, bytes: Buffer, padding: number, fin: boolean): void {
    const hex = bytes.toString("hex");
    const last = this.events.at(-1);
    if (last?.kind === "data" && last.stream === stream && !last.fin) {
      last.bytes += hex;
      last.padding += padding;
      last.fin = fin;
    } else {
      this.events.push({ kind: "data", stream, bytes: hex, padding, fin });
    }
  }

  frame(type: number, flags: number, stream: number, bytes: Buffer): void {
    this.events.push({ kind: "frame", type, flags, stream, bytes: bytes.toString("hex") });
  }

  violation(code: number): void {
    this.events.push({ kind: "violation", code });
  }
}

/** Splits `bytes` as a whole, by the letter of RFC 9113 sections 3.4, 4.1 and 6.1. */
function split(bytes: Buffer, server: boolean): Event[] {
  const found = new Recorder();
  let at = 0;
  if (server) {
    const compared = Math.min(bytes.length, PREFACE.length);
    if (!bytes.subarray(0, compared).equals(PREFACE.subarray(0, compared))) found.violation(1);
    at = compared;
  }
  while (bytes.length - at >= 9 && found.events.at(-1)?.kind !== "violation") {
    const length = bytes.readUIntBE(at, 3);
    const [type, flags] = [bytes[at + 3]!, bytes[at + 4]!];
    const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    const payload = bytes.subarray(at + 9, at + 9 + length);
    const whole = payload.length === length;
    at += 9 + length;
    if (length > LIMIT) found.violation(6);
    else if (type !== DATA) {
      if (whole) found.frame(type, flags, stream, payload);
    } else if ((flags & 8) === 0) {
      // It is reported as it comes; of a header alone there is nothing to report.
      if (whole || payload.length > 0) found.data(stream, payload, 0, whole && (flags & 1) === 1);
    } else if (whole && length === 0) found.violation(6);
    else if (whole && payload[0]! >= length) found.violation(1);
    else if (whole) {
      const padding = 1 + payload[0]!;
      found.data(stream, payload.subarray(1, length - payload[0]!), padding, (flags & 1) === 1);
    }
  }
  return found.events;
}

/** Feeds `bytes` in pieces of the given sizes, which repeat, from a buffer that is used again for each. */
function feed(bytes: Buffer, server: boolean, sizes: Uint8Array): Event[] {
  const found = new Recorder();
  const handler: FrameHandler = {
    onData: (stream, buffer, start, end, fin, padding) =>
      found.data(stream, buffer.subarray(start, end), padding, fin),
    onFrame: (type, flags, stream, buffer, start, end) =>
      found.frame(type, flags, stream, buffer.subarray(start, end)),
    onViolation: (code) => found.violation(code),
  };
  const parser = new FrameParser(handler, server);
  const shared = Buffer.alloc(9 + 256);
  for (let at = 0, i = 0; at < bytes.length && found.events.at(-1)?.kind !== "violation"; i++) {
    const size = 1 + sizes[i % sizes.length]!;
    const end = 9 + bytes.copy(shared, 9, at, at + size);
    parser.feed(shared, 9, end);
    shared.fill(0xaa);
    at += size;
  }
  return found.events;
}

/** The fuzz target: the role, four sizes of pieces, and what a connection receives; a server's preface is put before it. */
export const frames: FuzzTarget = {
  name: "frames",
  run(given) {
    const [role = 0, ...sizes] = given.subarray(0, 5);
    const server = (role & 1) === 1;
    const rest = Buffer.from(given.subarray(5));
    const bytes = server && (role & 2) === 0 ? Buffer.concat([PREFACE, rest]) : rest;
    const expected = split(bytes, server);
    assert.deepEqual(feed(bytes, server, Uint8Array.of(...sizes, 0)), expected);
    assert.deepEqual(feed(bytes, server, Uint8Array.of(255)), expected);
  },
};
