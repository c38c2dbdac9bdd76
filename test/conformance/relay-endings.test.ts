import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { request } from "../support/raw-h2/client.ts";
import { end, OK_HEADERS, OK_TRAILERS } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { headOf, RelayBed } from "../support/raw-h2/relay-bed.ts";
import { ending } from "../support/raw-h2/upstream-cases.ts";

// How calls end on one side, and what the other side hears of it.

const { Bit, Code } = h2;

let bed: RelayBed;
before(async () => {
  bed = await RelayBed.start();
});
after(() => bed.stop());

/** A response that ends, though the request may not have. */
function answer(upstream: RawPeer, stream = 1): void {
  upstream.sendHeaders(stream, OK_HEADERS);
  upstream.send(h2.data(stream, Buffer.from("early")));
  upstream.sendHeaders(stream, OK_TRAILERS, Bit.END_STREAM);
}

for (const [name, code] of [...Object.entries(Code), ["0xdeadbeef", 0xdead_beef] as const]) {
  test(`a reset by the upstream reaches the client with its code: ${name}`, async () => {
    const { client, upstream } = await bed.pair();
    upstream.send(h2.reset(1, code));
    assert.equal((await client.outcome(1)).reset, code);
    client.sendHeaders(3, request());
    await headOf(upstream, 3);
    assert.deepEqual(client.stream(1).sections, []);
  });

  test(`a reset by the client reaches the upstream with its code: ${name}`, async () => {
    const { client, upstream } = await bed.pair();
    client.send(h2.reset(1, code));
    assert.equal((await upstream.outcome(1)).reset, code);
    answer(upstream);
    await upstream.fence();
    await client.fence();
    assert.deepEqual(client.stream(1).sections, []);
  });
}

test("a reset in the middle of the response reaches the client after what came before it", async () => {
  const { client, upstream } = await bed.pair();
  upstream.sendHeaders(1, OK_HEADERS);
  upstream.send(h2.data(1, Buffer.from("half")), h2.reset(1, Code.INTERNAL_ERROR));
  const record = await client.outcome(1);
  assert.deepEqual([record.bytes().toString(), ending(record)], ["half", "reset INTERNAL_ERROR"]);
});

test("6.8 GOAWAY: streams above its last id are refused, the others end well, new calls go elsewhere", async () => {
  const { client, upstream } = await bed.pair();
  client.sendHeaders(3, request());
  client.sendHeaders(5, request());
  await headOf(upstream, 5);
  upstream.send(h2.goaway(1, Code.NO_ERROR, "maintenance"));
  assert.equal(ending(await client.outcome(3)), "reset REFUSED_STREAM");
  assert.equal(ending(await client.outcome(5)), "reset REFUSED_STREAM");
  client.sendHeaders(7, request());
  const second = await bed.upstream();
  await headOf(second, 1);
  answer(second);
  assert.equal(ending(await client.outcome(7)), "status 0");
  answer(upstream);
  client.send(end(1));
  assert.equal(ending(await client.outcome(1)), "status 0");
  await upstream.closed();
});

test("6.8 GOAWAY in two steps: nothing is refused by the first, the second says what is", async () => {
  const { client, upstream } = await bed.pair();
  client.sendHeaders(3, request());
  await headOf(upstream, 3);
  upstream.send(h2.goaway(0x7fff_ffff, Code.NO_ERROR));
  await upstream.fence();
  client.sendHeaders(5, request());
  const second = await bed.upstream();
  assert.equal((await headOf(second, 1)).stream, 1, "the new call went to a new connection");
  upstream.send(h2.goaway(1, Code.NO_ERROR));
  assert.equal(ending(await client.outcome(3)), "reset REFUSED_STREAM");
  answer(upstream);
  answer(second);
  client.send(end(1), end(5));
  assert.equal(ending(await client.outcome(1)), "status 0");
  assert.equal(ending(await client.outcome(5)), "status 0");
});

test("6.8 GOAWAY with an error and the end of the connection: UNAVAILABLE, with what the upstream said", async () => {
  const { client, upstream } = await bed.pair();
  upstream.send(h2.goaway(1, Code.ENHANCE_YOUR_CALM, "too_many_pings"));
  await upstream.fence();
  upstream.close();
  const record = await client.outcome(1);
  assert.equal(ending(record), "status 14");
  assert.match(record.last("grpc-message")!, /GOAWAY ENHANCE_YOUR_CALM \(too_many_pings\)/);
});

test("a connection cut before the response: UNAVAILABLE at once, in one header list", async () => {
  const { client, upstream } = await bed.pair();
  upstream.close();
  const record = await client.outcome(1);
  assert.equal(record.sections.length, 1);
  assert.equal(ending(record), "status 14");
});

test("a connection cut in the middle of the response: what came, then UNAVAILABLE", async () => {
  const { client, upstream } = await bed.pair();
  upstream.sendHeaders(1, OK_HEADERS);
  upstream.send(h2.header(100, h2.Type.DATA, 0, 1), Buffer.from("half"));
  await client.waitFor("data", (f) => f.type === h2.Type.DATA && f.payload.length > 0);
  upstream.close();
  const record = await client.outcome(1);
  assert.deepEqual(record.sections[0], OK_HEADERS);
  assert.deepEqual([record.bytes().toString(), ending(record)], ["half", "status 14"]);
});

test("8.1 an early response and NO_ERROR reach the client whole; data under way does no harm", async () => {
  const { client, upstream } = await bed.pair();
  client.send(h2.data(1, Buffer.alloc(1_000)));
  answer(upstream);
  upstream.send(h2.reset(1, Code.NO_ERROR));
  const record = await client.outcome(1);
  assert.deepEqual([record.bytes().toString(), record.grpcStatus], ["early", 0]);
  assert.equal(await client.resetOf(1), "NO_ERROR");
  client.send(h2.data(1, Buffer.alloc(1_000)), end(1));
  client.sendHeaders(3, request());
  await headOf(upstream, 3);
});

test("8.1 after an early response alone the client may go on sending", async () => {
  const { client, upstream } = await bed.pair();
  answer(upstream);
  assert.equal(ending(await client.outcome(1)), "status 0");
  client.send(h2.data(1, Buffer.from("more")), end(1));
  const record = await upstream.outcome(1);
  assert.deepEqual([record.bytes().toString(), record.reset], ["more", null]);
});

test("8.1 a connection cut after an early response leaves the response as it is", async () => {
  const { client, upstream } = await bed.pair();
  answer(upstream);
  assert.equal(ending(await client.outcome(1)), "status 0");
  upstream.close();
  assert.equal(
    await client.resetOf(1),
    "NO_ERROR",
    "the client is told that no more is wanted, and of no error",
  );
});

test("5.1 half-closed: the response begins, streams and ends long after the request ended, and before it", async () => {
  const { client, upstream } = await bed.pair(request(), Bit.END_STREAM);
  for (const text of ["one", "two", "three"]) {
    if (text === "one") upstream.sendHeaders(1, OK_HEADERS);
    upstream.send(h2.data(1, Buffer.from(text)));
    await client.waitFor(text, (f) => f.type === h2.Type.DATA && f.payload.toString() === text);
  }
  upstream.sendHeaders(1, OK_TRAILERS, Bit.END_STREAM);
  assert.equal(ending(await client.outcome(1)), "status 0");
  client.sendHeaders(3, request());
  await headOf(upstream, 3);
  upstream.sendHeaders(3, OK_HEADERS);
  await headOf(client, 3);
  client.send(h2.data(3, Buffer.from("question")));
  await upstream.waitFor("question", (f) => f.type === h2.Type.DATA && f.payload.toString() === "question");
  client.send(end(3));
  await upstream.outcome(3);
  upstream.sendHeaders(3, OK_TRAILERS, Bit.END_STREAM);
  assert.equal(ending(await client.outcome(3)), "status 0");
});

test("a client that goes away cancels its calls upstream, and nobody else's", async () => {
  const other = await bed.pair();
  const { client, upstream } = await bed.pair();
  assert.notEqual(upstream, other.upstream, "every client connection has upstream connections of its own");
  client.close();
  await upstream.closed();
  answer(other.upstream);
  other.client.send(end(1));
  assert.equal(ending(await other.client.outcome(1)), "status 0");
});

test("a client that closes its sending half of the connection is gone, too", async () => {
  const { client, upstream } = await bed.pair();
  client.socket.end();
  await upstream.closed();
  await client.closed();
});

test("the bridge drains: GOAWAY in two steps, running calls end well, later streams are refused", async () => {
  const draining = await RelayBed.start();
  const { client, upstream } = await draining.pair();
  const stopped = draining.bridge.stop();
  assert.deepEqual((await client.goaway(true)).lastStream, 0x7fff_ffff);
  await client.waitFor(
    "the second GOAWAY",
    (f) => f.type === h2.Type.GOAWAY && f.payload.readUInt32BE() === 1,
  );
  client.sendHeaders(3, request());
  assert.equal(ending(await client.outcome(3)), "reset REFUSED_STREAM");
  answer(upstream);
  client.send(end(1));
  assert.equal(ending(await client.outcome(1)), "status 0");
  await client.closed();
  await stopped;
  await draining.closeUpstream();
});
