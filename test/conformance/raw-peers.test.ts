import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connectRaw, message, request } from "../support/raw-h2/client.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { startRawServer } from "../support/raw-h2/server.ts";

// The tests of this folder are only as good as their raw peers, so these are held against Node's own HTTP/2.

test("a node:http2 client is served by the raw echo upstream, bodies beyond every window included", async () => {
  const echo = await startEcho();
  const session = http2.connect(`http://${echo.address}`);
  const body = Buffer.alloc(300_000, "body");
  const call = session.request({ ":method": "POST", ":path": "/x", "x-much": "v".repeat(20_000) });
  call.end(body);
  const chunks: Buffer[] = [];
  call.on("data", (chunk) => chunks.push(chunk as Buffer));
  const trailers = once(call, "trailers");
  const ended = once(call, "end");
  const [headers] = await once(call, "response");
  assert.equal(headers[":status"], 200);
  assert.equal((await trailers)[0]["grpc-status"], "0");
  await ended;
  assert.deepEqual(Buffer.concat(chunks), body);
  session.destroy();
  await echo.close();
});

test("the raw client decodes Huffman codes and the dynamic table of a node:http2 server", async () => {
  const server = http2.createServer((_, response) => {
    response.setHeader("x-coded", "mostly lower-case text, ÿ and {curly}");
    response.stream.respond({ ":status": 200, "x-coded": "aaaaaaaaaaaaaaaa~{}|\\^", "x-again": "same" });
    response.stream.end("pong");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = await connectRaw(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const stream of [1, 3, 5]) {
    client.sendHeaders(stream, request(), h2.Bit.END_STREAM);
    const record = await client.outcome(stream);
    assert.equal(record.last("x-coded"), "aaaaaaaaaaaaaaaa~{}|\\^");
    assert.equal(record.last("x-again"), "same");
    assert.equal(record.bytes().toString(), "pong");
  }
  await client.fence();
  client.close();
  server.close();
});

test("the raw client and the raw upstream speak to each other", async () => {
  const echo = await startEcho();
  const client = await connectRaw(echo.address);
  client.sendHeaders(1, request());
  const sent = message(Buffer.alloc(200_000, 7));
  await client.sendBody(1, sent);
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, 0);
  assert.deepEqual(record.bytes(), sent);
  client.close();
  await echo.close();
});

test("a wait that cannot succeed fails with what was received", async () => {
  const server = await startRawServer((peer) => setImmediate(() => peer.send(h2.goaway(0, 11, "enough"))));
  const client = await connectRaw(server.address);
  assert.deepEqual(await client.goaway(), { code: "ENHANCE_YOUR_CALM", lastStream: 0, debug: "enough" });
  await assert.rejects(
    client.waitFor("nothing", () => false, 20),
    /gave up after 20 ms.*GOAWAY ENHANCE_YOUR_CALM/,
  );
  await server.close();
  await assert.rejects(client.fence(), /connection closed/);
});
