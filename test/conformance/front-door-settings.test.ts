import assert from "node:assert/strict";
import { end } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { type FrontDoorCase, frontDoorCases, open, wholeCall } from "../support/raw-h2/front-door-cases.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";

// SETTINGS and WINDOW_UPDATE (RFC 9113 sections 6.5 and 6.9) as a client can get them wrong or make use of them.

const { Type, Bit, Setting } = h2;
const MAX_WINDOW = 0x7fff_ffff;

/** Opens a call and waits until the bridge answers, so that the stream's send window exists. */
async function openAndAwaitHead(client: RawPeer): Promise<void> {
  open(client);
  await client.waitFor("the head of the response", (f) => f.type === Type.HEADERS && f.stream === 1);
}

const settings: FrontDoorCase[] = [
  {
    rule: "6.5 SETTINGS with ACK and a payload",
    send: (client) => client.send(h2.frame(Type.SETTINGS, Bit.ACK, 0, Buffer.alloc(6))),
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.5 SETTINGS on a stream",
    send: (client) => client.send(h2.frame(Type.SETTINGS, 0, 1)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.5 SETTINGS whose length is no multiple of six",
    send: (client) => client.send(h2.frame(Type.SETTINGS, 0, 0, Buffer.alloc(7))),
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.5.2 ENABLE_PUSH of 2",
    send: (client) => client.send(h2.settings([Setting.ENABLE_PUSH, 2])),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.5.2 INITIAL_WINDOW_SIZE of 2^31",
    send: (client) => client.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 31])),
    verdict: { connection: "FLOW_CONTROL_ERROR" },
  },
  {
    rule: "6.5.2 MAX_FRAME_SIZE below 2^14",
    send: (client) => client.send(h2.settings([Setting.MAX_FRAME_SIZE, 16_383])),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.5.2 MAX_FRAME_SIZE of 2^24",
    send: (client) => client.send(h2.settings([Setting.MAX_FRAME_SIZE, 2 ** 24])),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.5.2 unknown settings and every legal extreme are taken",
    send: async (client) => {
      const { HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE } = Setting;
      client.send(
        h2.settings(
          [0xbeef, 7],
          [Setting.ENABLE_PUSH, 0],
          [HEADER_TABLE_SIZE, 0xffff_ffff],
          [MAX_FRAME_SIZE, 0xff_ffff],
        ),
        h2.settings([HEADER_TABLE_SIZE, 0], [MAX_CONCURRENT_STREAMS, 0], [MAX_HEADER_LIST_SIZE, 0xffff_ffff]),
      );
      await wholeCall(client, 1);
      await wholeCall(client, 3);
    },
    verdict: "ignored",
  },
  {
    rule: "6.5.3 every SETTINGS is acknowledged, once",
    send: async (client) => {
      for (let i = 0; i < 5; i++) client.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 1000 + i]));
      await client.fence();
      const acks = client.log.filter((f) => f.type === Type.SETTINGS && f.flags === Bit.ACK);
      assert.equal(acks.length, 6);
    },
    verdict: "ignored",
  },
];

const windowUpdates: FrontDoorCase[] = [
  {
    rule: "6.9 WINDOW_UPDATE of 0 on the connection",
    send: (client) => client.send(h2.windowUpdate(0, 0)),
    verdict: { connection: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.9 WINDOW_UPDATE of 0 on a stream",
    send: (client) => {
      open(client);
      client.send(h2.windowUpdate(1, 0));
    },
    verdict: { stream: 1, code: "PROTOCOL_ERROR" },
  },
  {
    rule: "6.9 WINDOW_UPDATE of another length than four",
    send: (client) => client.send(h2.frame(Type.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))),
    verdict: { connection: "FRAME_SIZE_ERROR" },
  },
  {
    rule: "6.9.1 the connection's window above 2^31-1",
    send: (client) => client.send(h2.windowUpdate(0, MAX_WINDOW)),
    verdict: { connection: "FLOW_CONTROL_ERROR" },
  },
  {
    rule: "6.9.1 a stream's window above 2^31-1",
    send: (client) => {
      open(client);
      client.send(h2.windowUpdate(1, MAX_WINDOW));
    },
    verdict: { stream: 1, code: "FLOW_CONTROL_ERROR" },
  },
  {
    rule: "6.9.1 windows of exactly 2^31-1, and the reserved bit of the increment",
    send: async (client) => {
      open(client);
      client.send(
        h2.windowUpdate(0, MAX_WINDOW - 65_535),
        h2.windowUpdate(1, 2 ** 31 + MAX_WINDOW - 65_535),
        end(1),
      );
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
  {
    rule: "6.9.2 SETTINGS that raise a stream's window above 2^31-1",
    send: async (client) => {
      await openAndAwaitHead(client);
      client.send(h2.windowUpdate(1, 100_000), h2.settings([Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW]));
    },
    verdict: { connection: "FLOW_CONTROL_ERROR" },
  },
  {
    rule: "6.9.2 a window that SETTINGS made negative lets nothing through until it is positive again",
    send: async (client) => {
      client.options.credit = false;
      open(client);
      client.send(h2.data(1, Buffer.alloc(100)));
      await client.waitFor("the echo", (f) => f.type === Type.DATA);
      client.send(
        h2.settings([Setting.INITIAL_WINDOW_SIZE, 50]),
        h2.data(1, Buffer.alloc(80, 1), Bit.END_STREAM),
      );
      client.send(h2.windowUpdate(1, 50));
      await client.fence();
      assert.equal(client.stream(1).received, 100);
      client.send(h2.windowUpdate(1, 30));
      const isPart = () => client.stream(1).received >= 130;
      await client.waitFor("what the window lets through", isPart);
      await client.fence();
      assert.equal(client.stream(1).received, 130);
      client.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 65_535]));
      assert.equal((await client.outcome(1)).received, 180);
    },
    verdict: "ignored",
  },
  {
    rule: "6.9.2 with an initial window of 0 the head comes, the body waits",
    send: async (client) => {
      client.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 0]));
      open(client);
      client.send(h2.data(1, Buffer.from("abc"), Bit.END_STREAM));
      await client.waitFor("the head of the response", (f) => f.type === Type.HEADERS);
      await client.fence();
      assert.equal(client.stream(1).received, 0);
      client.send(h2.windowUpdate(1, 1));
      await client.waitFor("one byte", (f) => f.type === Type.DATA && f.payload.length === 1);
      client.send(h2.windowUpdate(1, 2));
      assert.equal((await client.outcome(1)).bytes().toString(), "abc");
    },
    verdict: "ignored",
  },
];

frontDoorCases([...settings, ...windowUpdates]);
