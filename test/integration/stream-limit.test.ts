import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Bridge } from "../../src/index.ts";
import { bridgeTo } from "../support/bridge.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw, request } from "../support/raw-h2/client.ts";
import { serveEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { type RawServer, startRawServer } from "../support/raw-h2/server.ts";

// MAX_CONCURRENT_STREAMS of the upstream: more connections first, then a queue.

/** Connections that one client may have to the upstream. */
const MOST = 8;

interface Stage {
  readonly upstream: RawServer;
  readonly bridge: Bridge;
  readonly client: RawPeer;
  /** Opens a call on the next stream and returns its number. */
  open(): number;
}

/** An echo that allows `streams` streams a connection, a bridge, and a client without calls. */
async function stage(t: TestContext, streams: number): Promise<Stage> {
  const upstream = await startRawServer((peer) => {
    peer.send(h2.settings([h2.Setting.MAX_CONCURRENT_STREAMS, streams]));
    serveEcho(peer);
    return false;
  });
  t.after(() => upstream.close());
  const bridge = await bridgeTo(t, upstream.address);
  const client = await connectRaw(bridge.address);
  t.after(() => client.close());
  let next = -1;
  return {
    upstream,
    bridge,
    client,
    open() {
      next += 2;
      client.sendHeaders(next, request());
      return next;
    },
  };
}

const queued = (bridge: Bridge, calls: number) =>
  eventually(async () => (await bridge.metrics()).bridge.queued === calls, `${calls} queued calls`);

/** The upstream's answer has begun. */
const begun = (client: RawPeer, stream: number) =>
  client.waitFor(`headers on stream ${stream}`, (f) => f.stream === stream && f.headers !== undefined);

test("eight connections are opened before calls wait, and calls wait in order", async (t) => {
  const { upstream, bridge, client, open } = await stage(t, 1);
  const running = Array.from({ length: MOST }, open);
  for (const stream of running) await begun(client, stream);
  const waiting = Array.from({ length: 4 }, open);
  await queued(bridge, 4);
  // One was for the probe at the start.
  assert.equal(upstream.peers.length, MOST + 1);
  for (const [i, stream] of running.slice(0, 4).entries()) {
    client.send(h2.data(stream, Buffer.alloc(0), h2.Bit.END_STREAM));
    await begun(client, waiting[i]!);
    await queued(bridge, 3 - i);
  }
  assert.equal(upstream.peers.length, MOST + 1);
});

test("no more connections than are needed", async (t) => {
  const { upstream, client, open } = await stage(t, 10);
  for (const stream of Array.from({ length: 10 }, open)) await begun(client, stream);
  assert.equal(upstream.peers.length, 2);
  for (const stream of Array.from({ length: 10 }, open)) await begun(client, stream);
  assert.equal(upstream.peers.length, 3);
});

test("a call that waits keeps what its client has sent, in order", async (t) => {
  const { bridge, client, open } = await stage(t, 1);
  const running = Array.from({ length: MOST }, open);
  for (const stream of running) await begun(client, stream);
  const late = open();
  for (const text of ["one ", "two ", "three"]) client.send(h2.data(late, Buffer.from(text)));
  client.sendHeaders(late, [["x-trailer", "end"]], h2.Bit.END_STREAM);
  await queued(bridge, 1);
  client.send(h2.data(running[3]!, Buffer.alloc(0), h2.Bit.END_STREAM));
  const record = await client.outcome(late);
  assert.deepEqual([String(record.bytes()), record.grpcStatus], ["one two three", 0]);
});

test("a call that is cancelled while it waits never reaches the upstream", async (t) => {
  const { upstream, bridge, client, open } = await stage(t, 1);
  const running = Array.from({ length: MOST }, open);
  for (const stream of running) await begun(client, stream);
  const [given, kept] = [open(), open()];
  await queued(bridge, 2);
  client.send(h2.reset(given, h2.Code.CANCEL));
  await queued(bridge, 1);
  client.send(h2.data(running[0]!, Buffer.alloc(0), h2.Bit.END_STREAM));
  await begun(client, kept);
  const calls = upstream.peers.flatMap((peer) =>
    peer.log.filter(
      ({ headers }) => headers !== undefined && new Map(headers).get(":path") === "/test.Echo/Call",
    ),
  );
  assert.equal(calls.length, MOST + 1);
});

test("a limit that is raised lets the waiting calls go", async (t) => {
  const { upstream, bridge, client, open } = await stage(t, 1);
  const running = Array.from({ length: MOST }, open);
  for (const stream of running) await begun(client, stream);
  const waiting = Array.from({ length: 5 }, open);
  await queued(bridge, 5);
  upstream.peers.at(-1)!.send(h2.settings([h2.Setting.MAX_CONCURRENT_STREAMS, 100]));
  for (const stream of waiting) await begun(client, stream);
});

test("another client does not wait for them", async (t) => {
  const { bridge, client, open } = await stage(t, 1);
  const running = Array.from({ length: MOST }, open);
  for (const stream of running) await begun(client, stream);
  open();
  await queued(bridge, 1);
  const other = await connectRaw(bridge.listening[0]!);
  t.after(() => other.close());
  other.sendHeaders(1, request(), h2.Bit.END_STREAM);
  assert.equal((await other.outcome(1)).grpcStatus, 0);
});
