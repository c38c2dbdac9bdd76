import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type RunningBridge, startBridge } from "../support/raw-h2/bridge.ts";
import { connectRaw, message, request } from "../support/raw-h2/client.ts";
import { eventually, nothingLeft } from "../support/raw-h2/counters.ts";
import { serveEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { checkVerdict, wholeCall } from "../support/raw-h2/front-door-cases.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { type RawServer, startRawServer } from "../support/raw-h2/server.ts";

// Flow control as a receiver (RFC 9113 sections 5.2 and 6.9.1): a client that sends more than it was granted, and one that may send all.

const BUDGET = 1024 * 1024;
let upstream: RawServer;
let bridge: RunningBridge;
/** What the next upstream connection does. */
let serve: (peer: RawPeer) => void = serveEcho;

before(async () => {
  upstream = await startRawServer((peer) => serve(peer));
  bridge = await startBridge(upstream.address, { limits: { bufferBudgetBytes: BUDGET } });
});
after(async () => {
  await bridge.stop();
  await upstream.close();
});

/** Takes requests and never reads their bodies. */
function stalled(peer: RawPeer): void {
  peer.options.credit = false;
}

/** Sends on `stream` until the bridge has granted nothing more for a while. */
async function sendAllThatIsGranted(client: RawPeer, stream: number): Promise<void> {
  for (let idle = 0; idle < 3; ) {
    const bytes = client.window.reserve(stream, 16_384);
    idle = bytes === 0 ? idle + 1 : 0;
    if (bytes > 0) client.send(h2.data(stream, Buffer.alloc(bytes)));
    if (bytes === 0) await client.fence();
  }
}

test("6.9.1 a stream that sends more than its window is reset; its connection goes on", async () => {
  serve = stalled;
  const client = await connectRaw(bridge.address);
  client.sendHeaders(1, request());
  await sendAllThatIsGranted(client, 1);
  assert.equal(client.window.available(1), 0, "the stream's window is spent");
  assert.ok(client.window.connectionWindow > 100, `${client.window.connectionWindow} left on the connection`);
  client.send(h2.data(1, Buffer.alloc(100)));
  await checkVerdict(client, { stream: 1, code: "FLOW_CONTROL_ERROR" });
  client.close();
  await eventually(bridge, { clientStreams: 0, upstreamStreams: 0 });
});

test("6.9.1 a connection that sends more than its window is closed; others go on", async () => {
  serve = serveEcho;
  const other = await connectRaw(bridge.address);
  await wholeCall(other, 1);
  serve = stalled;
  const client = await connectRaw(bridge.address);
  let stream = 1;
  for (; client.window.connectionWindow > 0; stream += 2) {
    client.sendHeaders(stream, request());
    await sendAllThatIsGranted(client, stream);
  }
  client.sendHeaders(stream, request());
  assert.ok(client.window.available(stream) > 100, "the stream itself may send");
  client.send(h2.data(stream, Buffer.alloc(100)));
  await checkVerdict(client, { connection: "FLOW_CONTROL_ERROR" });
  await wholeCall(other, 3);
  other.close();
  await nothingLeft(bridge);
});

test("6.9.1 data on streams that are gone still counts, and its credit comes back", async () => {
  serve = serveEcho;
  const client = await connectRaw(bridge.address);
  client.sendHeaders(1, [...request(), ["connection", "close"]]);
  assert.equal(await client.resetOf(1), "PROTOCOL_ERROR");
  // Twenty times the window a connection is born with: it stalls for good unless credit comes back.
  for (let sent = 0; sent < 20 * 65_535; ) {
    const bytes = Math.min(16_384, client.window.connectionWindow);
    if (bytes === 0) await Promise.race([client.window.changed(), client.fence()]);
    else {
      client.window.reserve(3, bytes);
      client.send(h2.data(1, Buffer.alloc(bytes)));
      sent += bytes;
      if (client.window.available(3) < 16_384) client.window.grant(3, 65_535);
    }
  }
  await wholeCall(client, 5);
  client.close();
});

test("5.2 one connection moves far more than its first windows, both ways, padding included", async () => {
  serve = serveEcho;
  const client = await connectRaw(bridge.address);
  const body = message(Buffer.alloc(5_000_000, "flow"));
  client.sendHeaders(1, request());
  await client.sendBody(1, body, false);
  for (let i = 0; i < 2_000; i++) {
    while (Math.min(client.window.available(1), client.window.connectionWindow) < 256)
      await client.window.changed();
    client.window.reserve(1, 256);
    client.send(h2.frame(h2.Type.DATA, h2.Bit.PADDED, 1, Buffer.concat([Buffer.of(255), Buffer.alloc(255)])));
  }
  await client.sendBody(1, Buffer.alloc(0));
  const record = await client.outcome(1, 20_000);
  assert.equal(record.grpcStatus, 0);
  assert.ok(record.bytes().equals(body));
  client.close();
  await nothingLeft(bridge);
});
