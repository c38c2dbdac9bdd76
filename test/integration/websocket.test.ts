import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { bridgeTo } from "../support/bridge.ts";
import { httpServer } from "../support/http.ts";

// Websockets go through the side lane over HTTP/1; to the bridge they are bytes after an upgrade.

const NO_GRPC = "127.0.0.1:1";

function ask(t: TestContext, address: string, upgrade = "websocket"): Socket {
  const [host, port] = address.split(":");
  const socket = connectTcp(Number(port), host);
  t.after(() => socket.destroy());
  socket.write(
    `GET /feed HTTP/1.1\r\nhost: ${address}\r\nconnection: Upgrade\r\nupgrade: ${upgrade}\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  return socket;
}

/** What a socket receives until it has received `end`. */
async function until(socket: Socket, end: string): Promise<string> {
  let received = "";
  while (!received.endsWith(end)) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    received += chunk.toString("latin1");
  }
  return received;
}

/** An upstream that accepts the upgrade and sends every byte back; calls `closed` when the socket is gone. */
async function echo(t: TestContext, closed: () => void = () => {}): Promise<string> {
  const { server, url } = await httpServer(t, (_, response) =>
    response.writeHead(426).end("only websockets"),
  );
  server.on("upgrade", (_, socket) => {
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nx-feed: 1\r\n\r\n",
    );
    socket.pipe(socket);
    socket.on("close", closed);
  });
  return url;
}

for (const upgrade of ["websocket", "WebSocket"]) {
  test(`bytes go both ways after the upgrade (${upgrade})`, async (t) => {
    const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream: await echo(t) });
    const socket = ask(t, address, upgrade);
    const head = await until(socket, "\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 101 .*x-feed: 1/s);
    for (const said of ["\x81\x02hi", "\x82\x7e\x01\x00".padEnd(260, "z")]) {
      socket.write(said, "latin1");
      assert.equal(await until(socket, said), said);
    }
  });
}

test("when the client leaves, the upstream hears of it", async (t) => {
  const closed = Promise.withResolvers<void>();
  const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream: await echo(t, closed.resolve) });
  const socket = ask(t, address);
  await until(socket, "\r\n\r\n");
  socket.destroy();
  await closed.promise;
});

test("an upstream that refuses the upgrade has its answer passed on", async (t) => {
  const { url } = await httpServer(t, (_, response) => response.writeHead(403).end("not here"));
  const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream: url });
  assert.match(await text(ask(t, address)), /^HTTP\/1\.1 403 .*not here$/s);
});

test("an upstream that is down is 503", async (t) => {
  const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream: "http://127.0.0.1:1" });
  assert.match(await text(ask(t, address)), /^HTTP\/1\.1 503 .*ECONNREFUSED/s);
});

test("without an HTTP upstream the refusal says what to do", async (t) => {
  const { address } = await bridgeTo(t, NO_GRPC);
  assert.match(await text(ask(t, address)), /^HTTP\/1\.1 501 .*--http-upstream/s);
});

test("an open websocket does not keep a bridge from stopping", async (t) => {
  const bridge = await bridgeTo(t, NO_GRPC, { httpUpstream: await echo(t) });
  const socket = ask(t, bridge.address);
  await until(socket, "\r\n\r\n");
  const closed = once(socket, "close");
  await bridge.stop();
  await closed;
});
