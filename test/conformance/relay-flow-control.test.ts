import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { message, request } from "../support/raw-h2/client.ts";
import { end, OK_HEADERS, OK_TRAILERS } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { headOf, RelayBed } from "../support/raw-h2/relay-bed.ts";
import { ending } from "../support/raw-h2/upstream-cases.ts";

// Flow control across the bridge (RFC 9113 section 5.2): what one side may send follows from what the other takes.

const { Bit, Setting, Type } = h2;

let bed: RelayBed;
before(async () => {
  bed = await RelayBed.start();
});
after(() => bed.stop());

/** Sends on `stream` until nothing more has been granted for three round trips; returns how much that was. */
async function sendAllThatIsGranted(peer: RawPeer, stream: number): Promise<number> {
  let sent = 0;
  for (let idle = 0; idle < 3; ) {
    const bytes = peer.window.reserve(stream, 16_384);
    idle = bytes === 0 ? idle + 1 : 0;
    sent += bytes;
    if (bytes > 0) peer.send(h2.data(stream, Buffer.alloc(bytes)));
    else await peer.fence();
  }
  return sent;
}

test("6.9.1 an upstream that sends more than a stream's window loses the stream; its connection goes on", async () => {
  const { client, upstream } = await bed.pair();
  client.options.credit = false;
  upstream.sendHeaders(1, OK_HEADERS);
  await sendAllThatIsGranted(upstream, 1);
  assert.equal(upstream.window.available(1), 0, "the stream's window is spent");
  assert.ok(upstream.window.connectionWindow > 100, "the connection's is not");
  upstream.send(h2.data(1, Buffer.alloc(100)));
  assert.equal(await upstream.resetOf(1), "FLOW_CONTROL_ERROR");
  client.send(h2.windowUpdate(0, 1_000_000), h2.windowUpdate(1, 1_000_000));
  const record = await client.outcome(1);
  assert.equal(ending(record), "status 13");
  client.sendHeaders(3, request());
  await headOf(upstream, 3);
});

test("6.9.1 an upstream that sends more than the connection's window loses the connection", async (t) => {
  // Credit goes on while there is budget: with little of it the window can be spent.
  const small = await RelayBed.start({ limits: { bufferBudgetBytes: 1024 * 1024 } });
  t.after(() => small.stop());
  const client = await small.client({ credit: false });
  const streams = Array.from({ length: 20 }, (_, i) => 2 * i + 1);
  for (const stream of streams) client.sendHeaders(stream, request());
  const upstream = await small.upstream();
  for (const stream of streams) {
    await headOf(upstream, stream);
    upstream.sendHeaders(stream, OK_HEADERS);
  }
  for (const stream of streams) {
    if (upstream.window.connectionWindow > 0) await sendAllThatIsGranted(upstream, stream);
  }
  assert.equal(upstream.window.connectionWindow, 0, "the connection's window is spent");
  upstream.send(h2.data(39, Buffer.alloc(100)));
  assert.equal((await upstream.goaway()).code, "FLOW_CONTROL_ERROR");
  assert.equal(ending(await client.outcome(37)), "status 14");
});

test("5.2 a client that takes nothing stops its own call, and no other on the same connections", async () => {
  const client = await bed.client({ credit: false }, [[Setting.INITIAL_WINDOW_SIZE, 1_000]]);
  client.sendHeaders(1, request());
  client.sendHeaders(3, request());
  const upstream = await bed.upstream();
  await headOf(upstream, 3);
  upstream.sendHeaders(1, OK_HEADERS);
  const taken = await sendAllThatIsGranted(upstream, 1);
  assert.ok(taken < 1_000_000, `${taken} bytes were granted that the client does not take`);
  assert.equal(client.stream(1).received, 1_000);
  upstream.sendHeaders(3, OK_HEADERS);
  upstream.send(h2.data(3, Buffer.alloc(900)));
  upstream.sendHeaders(3, OK_TRAILERS, Bit.END_STREAM);
  assert.equal(ending(await client.outcome(3)), "status 0");
  // Now it takes, in steps, and gets all of it.
  upstream.sendHeaders(1, OK_TRAILERS, Bit.END_STREAM);
  client.options.credit = true;
  client.send(h2.windowUpdate(0, 1_900), h2.windowUpdate(1, 1_000));
  const record = await client.outcome(1);
  assert.deepEqual([record.received, ending(record)], [taken, "status 0"]);
});

test("5.2 an upstream that takes nothing stops its own call, and no other on the same connections", async () => {
  const { client, upstream } = await bed.pair();
  upstream.options.credit = false;
  const taken = await sendAllThatIsGranted(client, 1);
  assert.ok(taken < 1_000_000, `${taken} bytes were granted that the upstream does not take`);
  client.sendHeaders(3, request(), Bit.END_STREAM);
  await headOf(upstream, 3);
  upstream.sendHeaders(3, OK_HEADERS);
  upstream.sendHeaders(3, OK_TRAILERS, Bit.END_STREAM);
  assert.equal(ending(await client.outcome(3)), "status 0");
  client.send(end(1));
  upstream.options.credit = true;
  const shut = upstream.stream(1).received;
  upstream.send(h2.windowUpdate(0, shut), h2.windowUpdate(1, shut));
  assert.equal((await upstream.outcome(1)).received, taken);
});

test("6.9.2 an upstream whose initial window is 0 gets the head; the body follows its window", async () => {
  bed.onUpstream((peer) => {
    peer.options.credit = false;
    peer.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 0]));
    return false;
  });
  const client = await bed.client();
  client.sendHeaders(1, request());
  client.send(h2.data(1, Buffer.from("abcdef"), Bit.END_STREAM));
  const upstream = await bed.upstream();
  await headOf(upstream, 1);
  for (const expected of ["a", "ab", "abc"]) {
    upstream.send(h2.windowUpdate(1, 1));
    await upstream.fence();
    assert.equal(upstream.stream(1).bytes().toString(), expected);
  }
  upstream.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 3]));
  assert.equal((await upstream.outcome(1)).bytes().toString(), "abcdef");
  bed.onUpstream(() => {});
});

test("6.9.2 an upstream that makes a window negative gets nothing until it is positive again", async () => {
  const { client, upstream } = await bed.pair();
  upstream.options.credit = false;
  upstream.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 100]));
  client.send(h2.data(1, Buffer.alloc(100)));
  await upstream.waitFor("data", (f) => f.type === Type.DATA);
  upstream.send(h2.settings([Setting.INITIAL_WINDOW_SIZE, 50]));
  await upstream.fence();
  client.send(h2.data(1, Buffer.from("xyz"), Bit.END_STREAM));
  upstream.send(h2.windowUpdate(1, 50));
  await upstream.fence();
  assert.equal(upstream.stream(1).received, 100, "a window of 0 lets nothing through");
  upstream.send(h2.windowUpdate(1, 3));
  assert.equal((await upstream.outcome(1)).received, 103);
});

test("6.5.2 a frame is never longer than 2^14 bytes, whatever a receiver would take", async () => {
  bed.onUpstream((peer) => {
    peer.send(h2.settings([Setting.MAX_FRAME_SIZE, 0xff_ffff], [Setting.INITIAL_WINDOW_SIZE, 0x7fff_ffff]));
    return false;
  });
  const client = await bed.client();
  client.sendHeaders(1, request());
  const upstream = await bed.upstream();
  await client.sendBody(1, Buffer.alloc(300_000));
  assert.equal((await upstream.outcome(1)).received, 300_000);
  assert.ok(upstream.log.every((f) => f.payload.length <= 16_384));
  bed.onUpstream(() => {});
});

test("a slow reader gets every byte, and costs a fast one on the same connection nothing", async () => {
  const client = await bed.client({}, [[Setting.INITIAL_WINDOW_SIZE, 10_000]]);
  client.sendHeaders(1, request(), Bit.END_STREAM);
  client.sendHeaders(3, request(), Bit.END_STREAM);
  const upstream = await bed.upstream();
  await headOf(upstream, 3);
  // The slow one takes a piece for each megabyte that the fast one has got.
  client.options.credit = false;
  let owed = 0;
  client.onFrame = ({ type, stream, payload }) => {
    if (type !== Type.DATA || payload.length === 0) return;
    client.send(h2.windowUpdate(0, payload.length));
    if (stream === 3) client.send(h2.windowUpdate(3, payload.length));
    else owed += payload.length;
    if (client.stream(3).ended || client.stream(3).received % 1_000_000 < payload.length) {
      if (owed > 0) client.send(h2.windowUpdate(1, owed));
      owed = 0;
    }
  };
  const bodies = [message(Buffer.alloc(1_000_000, "slow")), message(Buffer.alloc(8_000_000, "fast"))];
  const answers = bodies.map(async (body, i) => {
    upstream.sendHeaders(2 * i + 1, OK_HEADERS);
    await upstream.sendBody(2 * i + 1, body, false);
    upstream.sendHeaders(2 * i + 1, OK_TRAILERS, Bit.END_STREAM);
  });
  const fast = await client.outcome(3, 20_000);
  assert.ok(!client.stream(1).ended, "the slow one is still at it");
  if (owed > 0) client.send(h2.windowUpdate(1, owed));
  const slow = await client.outcome(1, 20_000);
  await Promise.all(answers);
  assert.ok(fast.bytes().equals(bodies[1]!));
  assert.ok(slow.bytes().equals(bodies[0]!));
});
