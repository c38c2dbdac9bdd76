import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import {
  type BridgeProcess,
  startBridgeProcess,
  startOpeningBridgeProcess,
} from "../support/bridge-process.ts";
import { Authority } from "../support/certificates.ts";
import { cleanUp } from "../support/clean-up.ts";
import { OPENED_METHOD } from "../support/opened-method.ts";
import { Bystander } from "../support/raw-h2/bystander.ts";
import { connectRaw, connectRawTls, message, request } from "../support/raw-h2/client.ts";
import { eventually, nothingLeft } from "../support/raw-h2/counters.ts";
import { OK_HEADERS, OK_TRAILERS, serveEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { Header } from "../support/raw-h2/hpack.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { type RawServer, startRawServer } from "../support/raw-h2/server.ts";
import { ending } from "../support/raw-h2/upstream-cases.ts";

// What peers can make the bridge hold: the memory of a process of its own, above what it needs when idle.

const MIB = 1024 * 1024;
const MAX_WINDOW = 0x7fff_ffff;
/** The default of `--buffer-budget`, in MiB. */
const BUDGET = 256;

let upstream: RawServer;
let bridge: BridgeProcess;
let bystander: Bystander;
let idle: number;
const clients: RawPeer[] = [];
/** How clients connect. */
let dial = connectRaw;
/** What upstream connections do. */
let serve: (peer: RawPeer) => unknown = serveEcho;

before(async () => {
  upstream = await startRawServer((peer) => serve(peer), { keep: false });
});
after(() => upstream.close());

// A process each, because one that was full once keeps some of it.
beforeEach(async () => {
  serve = serveEcho;
  dial = connectRaw;
  await use(await startBridgeProcess(upstream.address));
});
afterEach(() =>
  cleanUp(
    () => bystander.finish(),
    async () => {
      for (const client of clients.splice(0)) client.close();
    },
    () => nothingLeft(bridge),
    () => bridge.stop(),
  ),
);

async function use(started: BridgeProcess): Promise<void> {
  bridge = started;
  bystander = await Bystander.start(bridge.address, dial);
  idle = await bridge.memory();
}

/** Takes another bridge than the usual one. */
async function replaceBridge(start: () => Promise<BridgeProcess>): Promise<void> {
  await bystander.finish();
  await bridge.stop();
  await use(await start());
}

async function connect(credit: boolean, ...settings: [number, number][]): Promise<RawPeer> {
  const client = await dial(bridge.address, { keep: false, credit }, settings);
  clients.push(client);
  return client;
}

/** Waits until no more bytes enter the bridge, and returns what its memory has grown by at most, in MiB. */
async function settledGrowth(): Promise<number> {
  let most = 0;
  let before = -1;
  for (let same = 0; same < 5; ) {
    await bystander.check();
    await new Promise((done) => setTimeout(done, 100));
    const metrics = await bridge.metrics();
    let bytes = 0;
    for (const [name, value] of metrics)
      if (name.startsWith("reapi_bridge_received_bytes_total")) bytes += value;
    most = Math.max(most, metrics.get("process_resident_memory_bytes")! - idle);
    // The bystander's own few bytes do not count.
    same = bytes - before < 1_000 ? same + 1 : 0;
    before = bytes;
  }
  return most / MIB;
}

/** An upstream that answers every call with `bytes` of data, as fast as flow control allows. */
function serveBytes(bytes: number): (peer: RawPeer) => void {
  const piece = Buffer.alloc(MIB);
  return (peer) => {
    peer.onFrame = async (frame) => {
      if (frame.headers === undefined) return;
      peer.sendHeaders(frame.stream, OK_HEADERS);
      for (let sent = 0; sent < bytes; sent += piece.length) await peer.sendBody(frame.stream, piece, false);
    };
  };
}

test("20 downloads of 64 MiB whose windows are shut", async (t) => {
  serve = serveBytes(64 * MIB);
  for (let i = 0; i < 20; i++) (await connect(false)).sendHeaders(1, request(), h2.Bit.END_STREAM);
  const growth = await settledGrowth();
  t.diagnostic(`${growth.toFixed(1)} MiB above idle`);
  assert.ok(growth < 50, `${growth} MiB`);
});

for (const tls of [false, true]) {
  test(`20 downloads of 64 MiB whose ${tls ? "TLS " : ""}sockets are not read`, async (t) => {
    if (tls) {
      const { cert, key } = new Authority(t).own;
      dial = connectRawTls;
      await replaceBridge(() => startBridgeProcess(upstream.address, "--tls-cert", cert, "--tls-key", key));
    }
    serve = serveBytes(64 * MIB);
    for (let i = 0; i < 20; i++) {
      const client = await connect(false, [h2.Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW]);
      client.send(h2.windowUpdate(0, MAX_WINDOW - 65_535));
      client.sendHeaders(1, request(), h2.Bit.END_STREAM);
      client.socket.pause();
    }
    const growth = await settledGrowth();
    t.diagnostic(`${growth.toFixed(1)} MiB above idle`);
    assert.ok(growth < (tls ? 130 : 100), `${growth} MiB`);
  });
}

for (const connections of [100, 1_000]) {
  test(`1,000 uploads on ${connections} connections of messages said to have 4 GiB, which the upstream does not take`, async (t) => {
    serve = (peer) => {
      peer.options.credit = false;
    };
    const body = message(Buffer.alloc(4 * MIB), 0xffff_ffff);
    for (let i = 0; i < connections; i++) {
      const client = await connect(true);
      for (let stream = 1; stream < 2_000 / connections; stream += 2) {
        client.sendHeaders(stream, request());
        void client.sendBody(stream, body);
      }
    }
    const growth = await settledGrowth();
    t.diagnostic(`${growth.toFixed(1)} MiB above idle, ${(growth + idle / MIB).toFixed(1)} MiB in all`);
    assert.ok(growth < BUDGET + 50, `${growth} MiB`);
  });
}

test("1,000 messages of 60 MB on 100 connections that the bridge opens: memory follows what arrives", async (t) => {
  await replaceBridge(() => startOpeningBridgeProcess(upstream.address));
  const body = message(Buffer.alloc(4 * MIB), 60_000_000);
  for (let i = 0; i < 100; i++) {
    const client = await connect(true);
    for (let stream = 1; stream < 20; stream += 2) {
      client.sendHeaders(stream, request(OPENED_METHOD));
      void client.sendBody(stream, body, false);
    }
  }
  const growth = await settledGrowth();
  t.diagnostic(`${growth.toFixed(1)} MiB above idle, ${(growth + idle / MIB).toFixed(1)} MiB in all`);
  assert.ok(growth < BUDGET + 100, `${growth} MiB`);
});

/** What header blocks leave for the garbage collector comes on top of what is held, in MiB. */
const GARBAGE = 200;

/** 5,000 calls of `method` with 60 KB of metadata each: more than the budget. Returns the memory that took, in MiB. */
async function manyLargeHeads(method = "/test.Echo/Large"): Promise<number> {
  const large: Header[] = Array.from({ length: 4 }, (_, i) => [`x-large-${i}`, `${i}`.repeat(15_000)]);
  const client = await connect(true);
  for (let n = 0; n < 5_000; n++) {
    client.sendHeaders(2 * n + 1, request(method, large));
    if (n % 50 === 0) await client.fence();
  }
  return settledGrowth();
}

test("5,000 calls with 60 KB of metadata that wait for a stream; those beyond the budget are refused", async (t) => {
  serve = (peer) => {
    peer.send(h2.settings([h2.Setting.MAX_CONCURRENT_STREAMS, 0]));
    return false;
  };
  const growth = await manyLargeHeads();
  t.diagnostic(`${growth.toFixed(1)} MiB above idle`);
  assert.ok(growth < BUDGET + GARBAGE, `${growth} MiB`);
  const last = await clients[0]!.outcome(2 * 5_000 - 1);
  assert.equal(ending(last), "status 8");
  assert.match(last.last("grpc-message")!, /budget of 268435456 bytes/);
});

test("5,000 calls with 60 KB of metadata whose messages the bridge opens; those beyond the budget are refused", async (t) => {
  await replaceBridge(() => startOpeningBridgeProcess(upstream.address));
  const growth = await manyLargeHeads(OPENED_METHOD);
  t.diagnostic(`${growth.toFixed(1)} MiB above idle`);
  assert.ok(growth < BUDGET + GARBAGE, `${growth} MiB`);
  assert.equal(ending(await clients[0]!.outcome(2 * 5_000 - 1)), "status 8");
});

test("5,000 calls with 60 KB of metadata for an upstream that does not read", async (t) => {
  serve = (peer) => {
    peer.onFrame = () => peer.socket.pause();
  };
  const growth = await manyLargeHeads();
  t.diagnostic(`${growth.toFixed(1)} MiB above idle`);
  assert.ok(growth < BUDGET + GARBAGE, `${growth} MiB`);
});

test("5,000 answers of 60 KB of metadata for a client that does not read", async (t) => {
  const large = Array.from({ length: 4 }, (_, i): Header => [`x-large-${i}`, `${i}`.repeat(15_000)]);
  serve = (peer) => {
    peer.onFrame = ({ headers, stream }) => {
      if (headers === undefined) return;
      peer.sendHeaders(stream, [...OK_HEADERS, ...large]);
      peer.sendHeaders(stream, [...OK_TRAILERS, ...large], h2.Bit.END_STREAM);
    };
  };
  const client = await connect(true);
  client.socket.pause();
  for (let n = 0; n < 5_000; n++) client.sendHeaders(2 * n + 1, request(), h2.Bit.END_STREAM);
  const growth = await settledGrowth();
  t.diagnostic(`${growth.toFixed(1)} MiB above idle`);
  assert.ok(growth < 100, `${growth} MiB`);
});

test("5,000 answers whose 60 KB of trailers wait behind data that the client does not take", async (t) => {
  const large = Array.from({ length: 4 }, (_, i): Header => [`x-large-${i}`, `${i}`.repeat(15_000)]);
  serve = (peer) => {
    peer.onFrame = ({ headers, stream }) => {
      if (headers === undefined) return;
      peer.sendHeaders(stream, OK_HEADERS);
      peer.send(h2.data(stream, Buffer.alloc(10)));
      peer.sendHeaders(stream, [...OK_TRAILERS, ...large], h2.Bit.END_STREAM);
    };
  };
  const client = await connect(false, [h2.Setting.INITIAL_WINDOW_SIZE, 0]);
  for (let n = 0; n < 5_000; n++) client.sendHeaders(2 * n + 1, request(), h2.Bit.END_STREAM);
  // The bystander's is left when all answers are there.
  await eventually(bridge, { upstreamStreams: 1 }, 30_000);
  const growth = await settledGrowth();
  t.diagnostic(`${growth.toFixed(1)} MiB above idle`);
  assert.ok(growth < BUDGET + GARBAGE, `${growth} MiB`);
  client.send(h2.settings([h2.Setting.INITIAL_WINDOW_SIZE, 100]), h2.windowUpdate(0, 1_000_000));
  assert.equal(ending(await client.outcome(1)), "status 0");
  assert.equal(ending(await client.outcome(2 * 5_000 - 1, 20_000)), "status 8");
});
