import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import type { Bridge } from "../../src/index.ts";
import { bridgeTo } from "../support/bridge.ts";
import { httpServer } from "../support/http.ts";
import { connectRaw, dial, request } from "../support/raw-h2/client.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";

// Stopping: balancers notice first, then clients are asked to leave, then what is left is cut.

const HOUR = 3_600_000;

/** A bridge with an echo behind it. */
async function draining(
  t: TestContext,
  drain: { minMs: number; maxMs: number },
): Promise<Bridge & { address: string }> {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  return bridgeTo(t, upstream.address, { drain, admin: { kind: "tcp", host: "127.0.0.1", port: 0 } });
}

async function clientOf(t: TestContext, { address }: { address: string }): Promise<RawPeer> {
  const client = await connectRaw(address);
  t.after(() => client.close());
  return client;
}

/** Opens a call on `stream`; resolves when the upstream has begun to answer. */
async function openCall(client: RawPeer, stream = 1): Promise<void> {
  client.sendHeaders(stream, request());
  await client.waitFor(`headers on ${stream}`, (f) => f.stream === stream && f.headers !== undefined);
}

const endCall = (client: RawPeer, stream = 1) =>
  client.send(h2.data(stream, Buffer.alloc(0), h2.Bit.END_STREAM));

const goaways = (client: RawPeer): number[] =>
  client.log.filter((f) => f.type === h2.Type.GOAWAY).map((f) => f.payload.readUInt32BE(0));

test("until the minimum is over the bridge says that it is not ready and serves new clients", async (t) => {
  const bridge = await draining(t, { minMs: 300, maxMs: HOUR });
  const ready = () => fetch(`http://${bridge.admin}/ready`);
  assert.equal((await ready()).status, 200);
  const stopped = bridge.stop();
  const answer = await ready();
  assert.deepEqual([answer.status, await answer.text()], [503, "not ready: shutting down\n"]);
  const client = await clientOf(t, bridge);
  client.sendHeaders(1, request(), h2.Bit.END_STREAM);
  assert.equal((await client.outcome(1)).grpcStatus, 0);
  assert.deepEqual(goaways(client), []);
  await client.closed();
  await stopped;
});

test("a running call ends in peace, and the bridge stops at its end", async (t) => {
  const bridge = await draining(t, { minMs: 0, maxMs: HOUR });
  const client = await clientOf(t, bridge);
  await openCall(client);
  const stopped = bridge.stop();
  await client.goaway(true);
  client.send(h2.data(1, Buffer.from("still talking")));
  endCall(client);
  const record = await client.outcome(1);
  assert.deepEqual([record.grpcStatus, String(record.bytes())], [0, "still talking"]);
  await client.closed();
  await stopped;
});

test("calls under way when the client was asked to leave are served, later ones refused", async (t) => {
  const bridge = await draining(t, { minMs: 0, maxMs: HOUR });
  const client = await clientOf(t, bridge);
  client.options.pingAck = false;
  await openCall(client);
  const stopped = bridge.stop();
  const ping = await client.waitFor("PING", (f) => f.type === h2.Type.PING && f.flags === 0);
  assert.deepEqual(goaways(client), [0x7fff_ffff]);
  // Sent before the client has answered, as if the two had crossed.
  await openCall(client, 3);
  client.send(h2.ping(ping.payload, true));
  await client.waitFor(
    "the second GOAWAY",
    (f) => f.type === h2.Type.GOAWAY && f.payload.readUInt32BE(0) === 3,
  );
  client.sendHeaders(5, request(), h2.Bit.END_STREAM);
  assert.equal(await client.resetOf(5), "REFUSED_STREAM");
  for (const stream of [1, 3]) {
    endCall(client, stream);
    assert.equal((await client.outcome(stream)).grpcStatus, 0);
  }
  await stopped;
});

test("a client without calls is let go at once; nobody new gets in", async (t) => {
  const bridge = await draining(t, { minMs: 0, maxMs: HOUR });
  const [idle, busy] = [await clientOf(t, bridge), await clientOf(t, bridge)];
  await openCall(busy);
  const stopped = bridge.stop();
  await idle.closed();
  assert.equal((await idle.goaway(true)).code, "NO_ERROR");
  await assert.rejects(connectRaw(bridge.address), /ECONNREFUSED/);
  endCall(busy);
  await stopped;
});

test("a call that does not end is cut when the maximum is over", async (t) => {
  const bridge = await draining(t, { minMs: 0, maxMs: 150 });
  const client = await clientOf(t, bridge);
  await openCall(client);
  const started = performance.now();
  await bridge.stop();
  // Timers may fire up to a millisecond early.
  assert.ok(performance.now() - started >= 149);
  await client.closed();
  assert.equal(client.stream(1).ended, false);
});

test("stopping twice is stopping once", async (t) => {
  const bridge = await draining(t, { minMs: 0, maxMs: 10 });
  assert.equal(bridge.stop(), bridge.stop());
  await bridge.stop();
});

test("a plain HTTP request ends in peace, and its connection with it", async (t) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const { url } = await httpServer(t, async (_, response) => {
    asked.resolve();
    await answer.promise;
    response.end("late");
  });
  const bridge = await bridgeTo(t, "127.0.0.1:1", { httpUpstream: url, drain: { minMs: 0, maxMs: HOUR } });
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const responses = ["/kept", "/busy"].map((path) =>
    once(get(`http://${bridge.address}${path}`, { agent }), "response"),
  );
  await asked.promise;
  const stopped = bridge.stop();
  answer.resolve();
  for (const response of responses) assert.equal(await text((await response)[0]), "late");
  await stopped;
});

test("a plain HTTP request that does not end is cut when the maximum is over", async (t) => {
  const { url } = await httpServer(t, (_, response) => response.write("the beginning"));
  const bridge = await bridgeTo(t, "127.0.0.1:1", { httpUpstream: url, drain: { minMs: 0, maxMs: 50 } });
  const [response] = await once(get(`http://${bridge.address}/`, { agent: false }), "response");
  await Promise.all([bridge.stop(), assert.rejects(text(response), /aborted/)]);
});

test("connections that have sent less than a request keep nobody waiting", async (t) => {
  const bridge = await draining(t, { minMs: 0, maxMs: 50 });
  for (const bytes of ["P", "GET / HTT"]) {
    const socket = dial(bridge.address);
    t.after(() => socket.destroy());
    socket.write(bytes);
    await once(socket, "connect");
  }
  // The bridge has accepted both once it has answered a third that came later.
  (await clientOf(t, bridge)).close();
  await bridge.stop();
});
