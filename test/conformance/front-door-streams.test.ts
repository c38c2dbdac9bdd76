import assert from "node:assert/strict";
import { request } from "../support/raw-h2/client.ts";
import { end } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { type FrontDoorCase, frontDoorCases, open, wholeCall } from "../support/raw-h2/front-door-cases.ts";

// Stream states and identifiers (RFC 9113 sections 5.1, 5.1.1 and 5.1.2) as a client can break them.

const { Bit, Type } = h2;

const idle: FrontDoorCase[] = [
  {
    rule: "5.1 idle: DATA",
    send: (client) => client.send(h2.data(1, Buffer.from("x"))),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "5.1 idle: WINDOW_UPDATE",
    send: (client) => client.send(h2.windowUpdate(1, 100)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "5.1 idle: CONTINUATION",
    send: (client) => client.send(h2.frame(Type.CONTINUATION, Bit.END_HEADERS, 1)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "5.1.1 HEADERS on a stream that only a server may open",
    send: (client) => client.sendHeaders(2, request()),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  ...["DATA", "RST_STREAM", "WINDOW_UPDATE"].map(
    (name): FrontDoorCase => ({
      rule: `5.1.1 ${name} on a stream that only a server may open`,
      send: (client) => client.send(h2.frame(Type[name as "DATA"], 0, 2, h2.u32(1))),
      verdict: { connection: "PROTOCOL_ERROR" },
    }),
  ),
  {
    rule: "5.1.1 HEADERS on a stream that a higher one has closed before it was opened",
    send: async (client) => {
      await wholeCall(client, 5);
      client.sendHeaders(3, request(), Bit.END_STREAM);
    },
    verdict: { connection: "PROTOCOL_ERROR" },
  },
];

const halfClosed: FrontDoorCase[] = [
  {
    rule: "5.1 half-closed: DATA",
    send: (client) => {
      // With no window the response cannot end, so that the stream stays half-closed.
      client.send(h2.settings([h2.Setting.INITIAL_WINDOW_SIZE, 0]));
      open(client);
      client.send(h2.data(1, Buffer.from("x"), Bit.END_STREAM), h2.data(1, Buffer.from("y")));
    },
    verdict: { stream: 1, code: "STREAM_CLOSED" },
  },
  {
    rule: "5.1 half-closed: HEADERS",
    send: (client) => {
      client.send(h2.settings([h2.Setting.INITIAL_WINDOW_SIZE, 0]));
      open(client);
      client.send(h2.data(1, Buffer.from("x"), Bit.END_STREAM));
      client.sendHeaders(1, [["x-late", "1"]], Bit.END_STREAM);
    },
    verdict: { stream: 1, code: "STREAM_CLOSED" },
  },
  {
    rule: "5.1 half-closed: WINDOW_UPDATE and PRIORITY are legal",
    send: async (client) => {
      client.send(h2.settings([h2.Setting.INITIAL_WINDOW_SIZE, 0]));
      open(client);
      client.send(h2.data(1, Buffer.from("x"), Bit.END_STREAM), h2.priority(1, 3), h2.windowUpdate(1, 10));
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
];

const closed: FrontDoorCase[] = [
  {
    rule: "5.1 closed: DATA after both sides ended the stream",
    send: async (client) => {
      await wholeCall(client, 1);
      client.send(h2.data(1, Buffer.from("x")));
    },
    verdict: { stream: 1, code: "STREAM_CLOSED" },
  },
  {
    rule: "5.1 closed: HEADERS after both sides ended the stream",
    send: async (client) => {
      await wholeCall(client, 1);
      client.sendHeaders(1, request(), Bit.END_STREAM);
    },
    verdict: { connection: "STREAM_CLOSED" },
  },
  {
    rule: "5.1 closed: DATA after the client reset the stream",
    send: (client) => {
      open(client);
      client.send(h2.reset(1, h2.Code.CANCEL), h2.data(1, Buffer.from("x")));
    },
    verdict: { stream: 1, code: "STREAM_CLOSED" },
  },
  {
    rule: "5.1 closed: HEADERS after the client reset the stream",
    send: (client) => {
      open(client);
      client.send(h2.reset(1, h2.Code.CANCEL));
      client.sendHeaders(1, request(), Bit.END_STREAM);
    },
    verdict: { connection: "STREAM_CLOSED" },
  },
  {
    rule: "5.1 closed: WINDOW_UPDATE, RST_STREAM and PRIORITY shortly after the end are legal",
    send: async (client) => {
      await wholeCall(client, 1);
      client.send(
        h2.windowUpdate(1, 5),
        h2.reset(1, h2.Code.NO_ERROR),
        h2.priority(1, 3),
        h2.windowUpdate(1, 5),
      );
    },
    verdict: "ignored",
  },
  {
    rule: "5.1 closed: whatever was under way when the bridge reset the stream is ignored",
    send: async (client) => {
      client.sendHeaders(1, [...request(), ["connection", "close"]]);
      client.send(h2.data(1, Buffer.from("x")), h2.windowUpdate(1, 5), h2.data(1, Buffer.alloc(20)));
      client.sendHeaders(1, [["x-trailer", "1"]], Bit.END_STREAM);
      client.send(h2.reset(1, h2.Code.CANCEL));
      await wholeCall(client, 3);
    },
    verdict: { stream: 1, code: "PROTOCOL_ERROR" },
  },
];

frontDoorCases([...idle, ...halfClosed, ...closed]);

frontDoorCases(
  [
    {
      rule: "5.1.2 one stream more than MAX_CONCURRENT_STREAMS is refused, and there is room again when one ends",
      send: async (client) => {
        const [first] = client.log;
        const max = first!.payload.readUInt32BE(2);
        assert.deepEqual([first!.payload.readUInt16BE(0), max], [h2.Setting.MAX_CONCURRENT_STREAMS, 3]);
        for (const stream of [1, 3, 5, 7]) open(client, stream);
        assert.equal(await client.resetOf(7), "REFUSED_STREAM");
        client.send(end(3));
        await client.outcome(3);
        await wholeCall(client, 9);
      },
      verdict: { stream: 7, code: "REFUSED_STREAM" },
    },
  ],
  { limits: { maxStreamsPerConnection: 3 } },
);
