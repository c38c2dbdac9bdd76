import assert from "node:assert/strict";
import { request } from "../support/raw-h2/client.ts";
import { end } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { type FrontDoorCase, frontDoorCases, open, wholeCall } from "../support/raw-h2/front-door-cases.ts";
import { encodeHeaders } from "../support/raw-h2/hpack.ts";

// Every frame type of RFC 9113 section 6, and the frame layer of sections 3 to 5, as a client can get them wrong.

const { Type, Bit } = h2;
const block = encodeHeaders(request());
const empty = Buffer.alloc(0);

const preface: FrontDoorCase[] = [
  {
    rule: "3.4 the preface is followed by something else than SETTINGS",
    silent: true,
    send: (client) => client.send(h2.PREFACE, h2.ping()),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "3.4 the preface is followed by the acknowledgement of SETTINGS",
    silent: true,
    send: (client) => client.send(h2.PREFACE, h2.settingsAck()),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "3.4 the preface goes wrong after its first line",
    silent: true,
    send: (client) => client.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"), h2.settings()),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "3.4 the preface and the first frames come byte by byte",
    silent: true,
    send: async (client) => {
      // An acknowledgement in the middle of another frame would spoil it.
      client.options.settingsAck = false;
      const bytes = Buffer.concat([
        h2.PREFACE,
        h2.settings(),
        h2.frame(Type.HEADERS, Bit.END_HEADERS | 1, 1, block),
      ]);
      for (const byte of bytes) {
        client.send(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
];

const format: FrontDoorCase[] = [
  {
    rule: "4.1 and 5.5 a frame of an unknown type is ignored, on the connection, an idle and an open stream",
    send: async (client) => {
      client.send(h2.frame(0xbe, 0xff, 0, Buffer.alloc(20)), h2.frame(0xbe, 0xff, 7, Buffer.alloc(20)));
      open(client);
      client.send(h2.frame(0x21, 0, 1, Buffer.alloc(16_384)), end(1));
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
  {
    rule: "4.1 the reserved bit of a stream identifier and undefined flags are ignored",
    send: async (client) => {
      client.send(h2.frame(Type.HEADERS, Bit.END_HEADERS | 0xc2, 0x8000_0001, block));
      client.send(h2.frame(Type.DATA, Bit.END_STREAM | 0xf6, 0x8000_0001, empty));
      client.send(h2.frame(Type.PING, 0xfe, 0x8000_0000, Buffer.alloc(8)));
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
  {
    rule: "4.2 a frame of 2^14 bytes is taken",
    send: async (client) => {
      open(client);
      client.send(h2.data(1, Buffer.alloc(16_384), Bit.END_STREAM));
      const record = await client.outcome(1);
      assert.deepEqual([record.received, record.grpcStatus], [16_384, 0]);
    },
    verdict: "ignored",
  },
  ...[Type.DATA, Type.HEADERS, Type.SETTINGS, Type.PING, 0xbe].map(
    (type): FrontDoorCase => ({
      rule: `4.2 a frame of type ${type} above 2^14 bytes`,
      send: (client) => {
        open(client);
        client.send(h2.header(16_385, type, 0, type === Type.HEADERS ? 3 : 1), Buffer.alloc(16_385));
      },
      verdict: { connection: "FRAME_SIZE_ERROR" },
    }),
  ),
  {
    rule: "5.5 a frame of an unknown type inside a header block",
    send: (client) => client.send(h2.frame(Type.HEADERS, 0, 1, block), h2.frame(0xbe, 0, 1, empty)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
];

const dataFrames: FrontDoorCase[] = [
  {
    rule: "6.1 DATA on stream 0",
    send: (client) => client.send(h2.data(0, Buffer.from("x"))),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.1 padding as long as the payload",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.DATA, Bit.PADDED, 1, Buffer.from([5, 0, 0, 0, 0])));
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.1 PADDED without a pad length",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.DATA, Bit.PADDED, 1, empty));
    },
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.1 padding is taken off, whether it leaves data or not",
    send: async (client) => {
      open(client);
      client.send(h2.frame(Type.DATA, Bit.PADDED, 1, Buffer.from([3, 65, 66, 0, 0, 0])));
      client.send(h2.frame(Type.DATA, Bit.PADDED | Bit.END_STREAM, 1, Buffer.from([2, 0, 0])));
      const record = await client.outcome(1);
      assert.equal(record.bytes().toString(), "AB");
      assert.equal(record.grpcStatus, 0);
    },
    verdict: "ignored",
  },
];

const headers: FrontDoorCase[] = [
  {
    rule: "6.2 HEADERS on stream 0",
    send: (client) => client.sendHeaders(0, request()),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.2 padding longer than what is left",
    send: (client) => {
      const padded = Buffer.concat([Buffer.of(block.length + 1), block]);
      client.send(h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PADDED, 1, padded));
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.2 PADDED without a pad length",
    send: (client) => client.send(h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PADDED, 1, empty)),
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.2 PRIORITY flag with less than five bytes",
    send: (client) => client.send(h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PRIORITY, 1, Buffer.alloc(4))),
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.2 padding that reaches into the priority fields",
    send: (client) => {
      const payload = Buffer.from([4, 0, 0, 0, 3, 9, 0, 0]);
      client.send(h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PADDED | Bit.PRIORITY, 1, payload));
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.2 padding and priority are taken off",
    send: async (client) => {
      const payload = Buffer.concat([Buffer.of(3), h2.u32(0), Buffer.of(15), block, Buffer.alloc(3)]);
      client.send(
        h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.PADDED | Bit.PRIORITY | Bit.END_STREAM, 1, payload),
      );
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
];

const priorityAndReset: FrontDoorCase[] = [
  {
    rule: "6.3 PRIORITY on stream 0",
    send: (client) => client.send(h2.priority(0, 1)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.3 PRIORITY of another length than five on an open stream",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.PRIORITY, 0, 1, Buffer.alloc(4)));
    },
    verdict: { stream: 1, code: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.3 PRIORITY is ignored on idle, open and closed streams",
    send: async (client) => {
      client.send(h2.priority(9, 7));
      open(client);
      client.send(h2.priority(1, 9), end(1));
      await client.outcome(1);
      client.send(h2.priority(1, 9));
      await wholeCall(client, 11);
    },
    verdict: "ignored",
  },
  {
    rule: "6.4 RST_STREAM on stream 0",
    send: (client) => client.send(h2.reset(0, 8)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.4 RST_STREAM on an idle stream",
    send: (client) => client.send(h2.reset(1, 8)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.4 RST_STREAM of another length than four",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.RST_STREAM, 0, 1, Buffer.alloc(5)));
    },
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "7 RST_STREAM with an unknown error code ends the stream and nothing else",
    send: async (client) => {
      open(client);
      client.send(h2.reset(1, 0xdead));
      await wholeCall(client, 3);
    },
    verdict: "ignored",
  },
];

const others: FrontDoorCase[] = [
  {
    rule: "6.6 PUSH_PROMISE from a client",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.PUSH_PROMISE, Bit.END_HEADERS, 1, Buffer.concat([h2.u32(2), block])));
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.7 PING on a stream",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.PING, 0, 1, Buffer.alloc(8)));
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.7 PING of another length than eight",
    send: (client) => client.send(h2.frame(Type.PING, 0, 0, Buffer.alloc(6))),
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.7 the answer to a PING nobody sent is not answered",
    send: async (client) => {
      client.send(h2.ping(Buffer.from("unasked!"), true));
      await client.fence();
      assert.equal(client.log.filter((f) => f.type === Type.PING).length, 1);
    },
    verdict: "ignored",
  },
  {
    rule: "6.8 GOAWAY on a stream",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.GOAWAY, 0, 1, Buffer.alloc(8)));
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.8 GOAWAY that is too short",
    send: (client) => client.send(h2.frame(Type.GOAWAY, 0, 0, Buffer.alloc(7))),
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.8 calls that are open when a client says GOAWAY go on, whatever its code",
    send: async (client) => {
      open(client);
      client.send(h2.goaway(0, 0xdead, "bye"), end(1));
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
  {
    rule: "6.10 CONTINUATION without a header block",
    send: (client) => {
      open(client);
      client.send(h2.frame(Type.CONTINUATION, Bit.END_HEADERS, 1, block));
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.10 CONTINUATION on stream 0",
    send: (client) =>
      client.send(h2.frame(Type.HEADERS, 0, 1, block), h2.frame(Type.CONTINUATION, 4, 0, empty)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.10 CONTINUATION of another stream",
    send: (client) =>
      client.send(h2.frame(Type.HEADERS, 0, 1, block), h2.frame(Type.CONTINUATION, 4, 3, empty)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  ...[Type.DATA, Type.HEADERS, Type.PRIORITY, Type.RST_STREAM, Type.WINDOW_UPDATE].map(
    (type): FrontDoorCase => ({
      rule: `6.10 a frame of type ${type} of the same stream inside a header block`,
      send: (client) =>
        client.send(h2.frame(Type.HEADERS, 0, 1, block), h2.frame(type, 0, 1, Buffer.from([0, 0, 0, 1]))),
      verdict: { connection: "PROTOCOL_ERROR" },
    }),
  ),
  ...[Type.SETTINGS, Type.PING, Type.GOAWAY, Type.HEADERS].map(
    (type): FrontDoorCase => ({
      rule: `6.10 a frame of type ${type} of the connection or another stream inside a header block`,
      send: (client) => {
        client.send(h2.frame(Type.HEADERS, 0, 1, block));
        client.send(
          h2.frame(type, 0, type === Type.HEADERS ? 3 : 0, type === Type.SETTINGS ? empty : Buffer.alloc(8)),
        );
      },
      verdict: { connection: "PROTOCOL_ERROR" },
    }),
  ),
  {
    rule: "6.10 a block in many pieces, empty ones among them, is one block",
    send: async (client) => {
      client.send(h2.frame(Type.HEADERS, Bit.END_STREAM, 1, empty));
      for (const byte of block.subarray(0, 60))
        client.send(h2.frame(Type.CONTINUATION, 0, 1, Buffer.of(byte)));
      client.send(h2.frame(Type.CONTINUATION, 0, 1, empty));
      client.send(h2.frame(Type.CONTINUATION, Bit.END_HEADERS, 1, block.subarray(60)));
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
];

frontDoorCases([...preface, ...format, ...dataFrames, ...headers, ...priorityAndReset, ...others]);
