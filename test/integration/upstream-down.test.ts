import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { bridgeTo } from "../support/bridge.ts";
import { GrpcClient } from "../support/grpc.ts";
import { connectRaw, request } from "../support/raw-h2/client.ts";
import { serveEcho, startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { startRawServer } from "../support/raw-h2/server.ts";

// An upstream that is down, comes back, or is something else altogether.

/** A TCP server that does as told with each connection. */
async function tcpServer(t: TestContext, greet: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    greet(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refusal(t: TestContext, upstream: string): Promise<string> {
  const { address } = await bridgeTo(t, upstream, {
    timeouts: { connectMs: 300, idleMs: 0, upstreamPingMs: 0 },
  });
  const { code, details } = await new GrpcClient(t, address).call("Unary", [Buffer.from("x")]);
  assert.equal(code, grpc.status.UNAVAILABLE);
  const start = `cannot reach the upstream ${upstream}: `;
  assert.ok(details.startsWith(start), details);
  return details.slice(start.length);
}

test("nobody listens: UNAVAILABLE with address and reason", async (t) => {
  assert.equal(await refusal(t, "127.0.0.1:1"), "connection refused");
});

test("while the upstream is known to be down, calls fail at once and without another attempt", async (t) => {
  const { address, metrics } = await bridgeTo(t, "127.0.0.1:1");
  const client = await connectRaw(address);
  t.after(() => client.close());
  for (let stream = 1; stream < 100; stream += 2) client.sendHeaders(stream, request(), h2.Bit.END_STREAM);
  for (let stream = 1; stream < 100; stream += 2) {
    const record = await client.outcome(stream);
    assert.equal(record.grpcStatus, grpc.status.UNAVAILABLE);
    assert.match(record.last("grpc-message")!, /127\.0\.0\.1:1: connection refused/);
  }
  const { bridge } = await metrics();
  assert.ok(bridge.connectFailuresTotal < 5, `${bridge.connectFailuresTotal} attempts for 50 calls`);
  assert.equal(bridge.refusedTotal, 50);
});

test("an upstream that comes back is used again, by a client that was there all the time", async (t) => {
  const first = await startEcho();
  const port = Number(first.address.split(":")[1]);
  const { address } = await bridgeTo(t, first.address);
  const client = await connectRaw(address);
  t.after(() => client.close());
  let stream = -1;
  const call = async () => {
    stream += 2;
    client.sendHeaders(stream, request(), h2.Bit.END_STREAM);
    return (await client.outcome(stream)).grpcStatus;
  };
  assert.equal(await call(), 0);
  await first.close();
  assert.equal(await call(), grpc.status.UNAVAILABLE);
  const second = await startRawServer(serveEcho, {}, port);
  t.after(() => second.close());
  // The pause after a failed attempt may not be over yet.
  while ((await call()) !== 0) await setTimeout(10);
});

test("the connection is lost in the middle of a call: UNAVAILABLE, with what came so far", async (t) => {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  const { address } = await bridgeTo(t, upstream.address);
  const client = await connectRaw(address);
  t.after(() => client.close());
  client.sendHeaders(1, request());
  client.send(h2.data(1, Buffer.from("echo")));
  await client.waitFor("the echo", (f) => f.type === h2.Type.DATA);
  for (const peer of upstream.peers) peer.close();
  const record = await client.outcome(1);
  assert.deepEqual([record.grpcStatus, String(record.bytes())], [grpc.status.UNAVAILABLE, "echo"]);
  assert.match(
    record.last("grpc-message")!,
    new RegExp(`lost the connection to the upstream ${upstream.address}`),
  );
});

test("an HTTP/1 server is called one", async (t) => {
  const upstream = await tcpServer(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  assert.equal(await refusal(t, upstream), "it speaks HTTP/1, not HTTP/2");
});

test("a server of another protocol is no HTTP/2", async (t) => {
  const upstream = await tcpServer(t, (socket) => void socket.write("220 mail.example.com ESMTP ready\r\n"));
  assert.match(await refusal(t, upstream), /^it does not speak HTTP\/2 \(/);
});

test("a server that hangs up may want TLS", async (t) => {
  const upstream = await tcpServer(t, (socket) => {
    socket.once("data", () => socket.end());
  });
  assert.match(await refusal(t, upstream), /before it sent its HTTP\/2 settings; it may expect TLS/);
});

test("a server that says nothing is given up after the connect timeout", async (t) => {
  assert.match(await refusal(t, await tcpServer(t, () => {})), /no HTTP\/2 settings within 300 ms/);
});
