import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cleanUp } from "../support/clean-up.ts";
import { type RunningBridge, startBridge } from "../support/raw-h2/bridge.ts";
import { Bystander } from "../support/raw-h2/bystander.ts";
import { connectRaw, request } from "../support/raw-h2/client.ts";
import { eventually, nothingLeft } from "../support/raw-h2/counters.ts";
import { end, serveEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { wholeCall } from "../support/raw-h2/front-door-cases.ts";
import { encodeHeaders } from "../support/raw-h2/hpack.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { type RawServer, startRawServer } from "../support/raw-h2/server.ts";
import { ending } from "../support/raw-h2/upstream-cases.ts";

// Peers that make work without moving data (RFC 9113 section 10.5). They lose their connection; nobody else notices.

const { Bit, Type, Code, Setting } = h2;
const block = encodeHeaders(request());

let upstream: RawServer;
let bridge: RunningBridge;
let bystander: Bystander;
/** What the next upstream connection does. */
let serve: (peer: RawPeer) => unknown = serveEcho;

before(async () => {
  upstream = await startRawServer((peer) => serve(peer));
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

function head(stream: number, flags = 0): Buffer {
  return h2.frame(Type.HEADERS, Bit.END_HEADERS | flags, stream, block);
}

/** What floods a connection, one burst at a time; `n` counts from 0. */
type Flood = (n: number) => Buffer;

/** Frames that are legal one by one. Each is sent until the connection is closed. */
const FLOODS: Readonly<Record<string, Flood>> = {
  "streams that are opened and reset": (n) =>
    Buffer.concat([head(2 * n + 1), h2.reset(2 * n + 1, Code.CANCEL)]),
  "streams that make the bridge reset them": (n) =>
    Buffer.concat([head(2 * n + 1), h2.windowUpdate(2 * n + 1, 0)]),
  "requests that are malformed": (n) =>
    h2.frame(
      Type.HEADERS,
      Bit.END_HEADERS,
      2 * n + 1,
      encodeHeaders([...request(), ["connection", "close"]]),
    ),
  PING: () => h2.ping(),
  SETTINGS: (n) => h2.settings([Setting.INITIAL_WINDOW_SIZE, 65_535 + (n % 2)]),
  "empty SETTINGS": () => h2.settings(),
  PRIORITY: (n) => h2.priority(2 * n + 1, 0),
  "empty DATA": (n) =>
    n === 0 ? Buffer.concat([head(1), h2.data(1, Buffer.alloc(0))]) : h2.data(1, Buffer.alloc(0)),
  "frames of an unknown type": () => h2.frame(0xbe, 0, 0),
  GOAWAY: () => h2.goaway(0, Code.NO_ERROR),
};

/** Sends a flood until the connection is closed, at most `most` bursts, a hundred at a time. Returns how many were sent. */
async function pour(client: RawPeer, flood: Flood, most: number): Promise<number> {
  let sent = 0;
  while (sent < most && !client.isClosed) {
    const part = Array.from({ length: 100 }, (_, i) => flood(sent + i));
    client.send(...part);
    sent += 100;
    if (client.socket.writableLength > 0) await new Promise((done) => client.socket.write("", done));
    else await new Promise(setImmediate);
  }
  return sent;
}

for (const [name, flood] of Object.entries(FLOODS)) {
  test(`a flood of ${name} is ended with ENHANCE_YOUR_CALM`, async () => {
    const before = (await bridge.metrics()).get('reapi_bridge_floods_total{side="client"}')!;
    const client = await connectRaw(bridge.address, { keep: false });
    const pouring = pour(client, flood, 200_000);
    assert.equal((await client.goaway()).code, "ENHANCE_YOUR_CALM");
    await client.closed();
    assert.ok((await pouring) < 200_000);
    await bystander.check();
    await eventually(bridge, { clientStreams: 1, upstreamStreams: 1, clientConnections: 1 });
    assert.equal((await bridge.metrics()).get('reapi_bridge_floods_total{side="client"}'), before + 1);
  });
}

test("a flood whose answers are not read is stopped without holding them", async () => {
  const client = await connectRaw(bridge.address);
  client.socket.pause();
  await pour(client, () => h2.ping(), 50_000);
  await bystander.check();
  client.close();
  await eventually(bridge, { clientConnections: 1 });
});

test("what busy clients do is no flood: 900 calls cancelled at once, and again a little later", async () => {
  const client = await connectRaw(bridge.address, { keep: false });
  for (let n = 0; n < 900; n++) client.send(head(2 * n + 1));
  await client.fence();
  for (let n = 0; n < 900; n++) client.send(h2.reset(2 * n + 1, Code.CANCEL));
  await client.fence();
  await wholeCall(client, 2001);
  client.close();
});

test("what busy clients do is no flood: a PING and an update of both windows with every message", async () => {
  const client = await connectRaw(bridge.address, { keep: false });
  client.send(head(1));
  for (let n = 0; n < 30_000; n++) {
    client.send(h2.data(1, Buffer.from("x")), h2.ping(), h2.windowUpdate(0, 1), h2.windowUpdate(1, 1));
    if (n % 100 === 0) await client.fence();
  }
  client.send(end(1));
  const record = await client.outcome(1);
  assert.deepEqual([record.received, record.grpcStatus], [30_000, 0]);
  client.close();
});

test("what busy clients do is no flood: many updates of small windows during a download", async () => {
  const client = await connectRaw(bridge.address, { keep: false, credit: false }, [
    [Setting.INITIAL_WINDOW_SIZE, 1],
  ]);
  client.sendHeaders(1, request());
  const sending = client.sendBody(1, Buffer.alloc(20_000));
  let credit = 0;
  client.onFrame = (frame) => {
    if (frame.type === Type.DATA && frame.payload.length > 0) client.send(h2.windowUpdate(1, 1));
    credit++;
  };
  const record = await client.outcome(1, 20_000);
  await sending;
  assert.deepEqual([record.received, record.grpcStatus], [20_000, 0]);
  assert.ok(credit >= 20_000);
  client.close();
});

/** Floods that an upstream can make; the call is on stream 1. */
const UPSTREAM_FLOODS: Readonly<Record<string, Flood>> = {
  PING: () => h2.ping(),
  SETTINGS: () => h2.settings(),
  "empty DATA": () => h2.data(1, Buffer.alloc(0)),
  "1xx responses": () => h2.frame(Type.HEADERS, Bit.END_HEADERS, 1, encodeHeaders([[":status", "103"]])),
  "frames of an unknown type": () => h2.frame(0xbe, 0, 0),
};

for (const [name, flood] of Object.entries(UPSTREAM_FLOODS)) {
  test(`an upstream that floods with ${name} loses that connection; the call is UNAVAILABLE`, async () => {
    const hostile = Promise.withResolvers<RawPeer>();
    serve = (peer) => {
      serve = serveEcho;
      hostile.resolve(peer);
    };
    const client = await connectRaw(bridge.address, { keep: false });
    client.sendHeaders(1, request());
    const peer = await hostile.promise;
    await peer.waitFor("the request", (f) => f.type === Type.HEADERS);
    if (name === "empty DATA") peer.sendHeaders(1, [[":status", "200"]]);
    const pouring = pour(peer, flood, 200_000);
    assert.equal(ending(await client.outcome(1)), "status 14");
    await peer.closed();
    assert.ok((await pouring) < 200_000);
    await bystander.check();
    await wholeCall(client, 3);
    client.close();
    await eventually(bridge, { clientStreams: 1, upstreamStreams: 1, upstreamConnections: 1 });
  });
}
