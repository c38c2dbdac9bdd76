import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cleanUp } from "../support/clean-up.ts";
import { type RunningBridge, startBridge } from "../support/raw-h2/bridge.ts";
import { Bystander } from "../support/raw-h2/bystander.ts";
import { connectRaw, message, request } from "../support/raw-h2/client.ts";
import { eventually, nothingLeft } from "../support/raw-h2/counters.ts";
import { end, OK_HEADERS, OK_TRAILERS, startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { type RawServer, startRawServer } from "../support/raw-h2/server.ts";
import { ending } from "../support/raw-h2/upstream-cases.ts";

// Thousands of calls at once: open together, ended each in its own way, and none of them left over.

const PATIENCE_MS = 30_000;

let upstream: RawServer;
let bridge: RunningBridge;
let bystander: Bystander;
before(async () => {
  upstream = await startEcho();
  bridge = await startBridge(upstream.address);
  bystander = await Bystander.start(bridge.address);
});
after(() =>
  cleanUp(
    () => bystander.finish(),
    () => nothingLeft(bridge),
    () => bridge.stop(),
    () => upstream.close(),
  ),
);

/** Opens `count` calls, waits until the bridge has them all open on both sides, and returns their streams. */
async function openCalls(clients: RawPeer[], count: number): Promise<[client: RawPeer, stream: number][]> {
  const calls = Array.from({ length: count }, (_, i): [RawPeer, number] => {
    return [clients[i % clients.length]!, 2 * Math.floor(i / clients.length) + 1];
  });
  for (const [client, stream] of calls) client.sendHeaders(stream, request());
  await eventually(bridge, { clientStreams: count + 1, upstreamStreams: count + 1 }, PATIENCE_MS);
  return calls;
}

for (const [count, connections] of [
  [1_000, 1],
  [10_000, 1],
  [10_000, 50],
] as const) {
  test(`${count} calls at once on ${connections} connections: each gets its own bytes and its end`, async () => {
    const clients = await Promise.all(Array.from({ length: connections }, () => connectRaw(bridge.address)));
    const calls = await openCalls(clients, count);
    const bodies = calls.map((_, i) => message(Buffer.from(`call ${i}`)));
    for (const [i, [client, stream]] of calls.entries())
      client.send(h2.data(stream, bodies[i]!), end(stream));
    for (const [i, [client, stream]] of calls.entries()) {
      const record = await client.outcome(stream, PATIENCE_MS);
      assert.equal(record.grpcStatus, 0);
      assert.ok(record.bytes().equals(bodies[i]!), `call ${i} got "${record.bytes()}"`);
    }
    await bystander.check();
    for (const client of clients) client.close();
    await eventually(bridge, { clientStreams: 1, upstreamStreams: 1, clientConnections: 1 });
  });
}

test("one stream more than 10,000 is refused", async () => {
  const client = await connectRaw(bridge.address);
  await openCalls([client], 10_000);
  client.sendHeaders(20_001, request());
  assert.equal(ending(await client.outcome(20_001, PATIENCE_MS)), "reset REFUSED_STREAM");
  client.close();
  await eventually(bridge, { clientStreams: 1, upstreamStreams: 1, clientConnections: 1 }, PATIENCE_MS);
});

test("10,000 calls whose clients vanish are cancelled upstream", async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(bridge.address)));
  await openCalls(clients, 10_000);
  for (const client of clients) client.close();
  await eventually(
    bridge,
    { clientStreams: 1, upstreamStreams: 1, clientConnections: 1, upstreamConnections: 1, queued: 0 },
    PATIENCE_MS,
  );
  await bystander.check();
});

test("an upstream killed in the middle of 5,000 calls: each is UNAVAILABLE, and the next goes well", async () => {
  const doomed = await startRawServer((peer) => {
    peer.onFrame = ({ stream, headers }) => {
      if (headers === undefined) return;
      peer.sendHeaders(stream, OK_HEADERS);
      peer.send(h2.data(stream, Buffer.from("half")));
      if (headers.some(([name]) => name === "reapi-bridge-probe"))
        peer.sendHeaders(stream, OK_TRAILERS, h2.Bit.END_STREAM);
    };
  });
  const other = await startBridge(doomed.address);
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectRaw(other.address)));
  for (const client of clients) for (let n = 0; n < 500; n++) client.sendHeaders(2 * n + 1, request());
  await eventually(other, { clientStreams: 5_000, upstreamStreams: 5_000 }, PATIENCE_MS);
  for (const client of clients) {
    await client.waitFor("the last answer", (f) => f.type === h2.Type.DATA && f.stream === 999, PATIENCE_MS);
  }
  await doomed.close();
  for (const client of clients) {
    for (let n = 0; n < 500; n++) {
      const record = await client.outcome(2 * n + 1, PATIENCE_MS);
      assert.deepEqual([record.bytes().toString(), ending(record)], ["half", "status 14"]);
    }
  }
  for (const client of clients) client.close();
  await cleanUp(
    () => nothingLeft(other),
    () => other.stop(),
  );
});
