import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import type { Routes } from "../../src/proxy/routing/route.ts";
import { startAfterProbe } from "../support/after-probe.ts";
import { bridgeTo } from "../support/bridge.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw, request } from "../support/raw-h2/client.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawServer } from "../support/raw-h2/server.ts";

// The bridge ends what waits in the bridge itself when its grpc-timeout is over; what the upstream works on is the upstream's to end.

const { Bit, Type } = h2;

/** An upstream that lets a connection have `streams` streams and answers none of them. */
async function silent(t: TestContext, streams: number): Promise<RawServer> {
  const upstream = await startAfterProbe((peer) => {
    peer.send(h2.settings([h2.Setting.MAX_CONCURRENT_STREAMS, streams]));
    return false;
  });
  t.after(() => upstream.close());
  return upstream;
}

test("a call that waits for a stream expires; the calls before it are left alone", async (t) => {
  const upstream = await silent(t, 0);
  const bridge = await bridgeTo(t, upstream.address);
  const client = await connectRaw(bridge.address);
  t.after(() => client.close());
  client.sendHeaders(1, request(), Bit.END_STREAM);
  client.sendHeaders(3, request("/test.Echo/Call", [["grpc-timeout", "50m"]]));
  client.send(h2.data(3, Buffer.alloc(1000)));
  const record = await client.outcome(3);
  assert.equal(record.grpcStatus, grpc.status.DEADLINE_EXCEEDED);
  assert.match(record.last("grpc-message")!, /waited for a stream to the upstream 127\.0\.0\.1:\d+/);
  assert.equal(await client.resetOf(3), "NO_ERROR");
  await eventually(async () => (await bridge.metrics()).bridge.queued === 1, "one call left in the queue");
  assert.equal(client.stream(1).ended, false);
});

for (const [what, timeout] of [
  ["an hour", "1H"],
  ["no legible time", "soon"],
  ["more than a timer can hold", "99999999H"],
] as const) {
  test(`a call that waits with ${what} goes on when there is room`, async (t) => {
    const upstream = await silent(t, 1);
    const { address } = await bridgeTo(t, upstream.address);
    const client = await connectRaw(address);
    t.after(() => client.close());
    client.sendHeaders(1, request("/test.Echo/Call", [["grpc-timeout", timeout]]), Bit.END_STREAM);
    const peer = await upstream.nextPeer();
    const { headers } = await peer.waitFor("the call", (f) => f.headers !== undefined);
    assert.equal(new Map(headers).get("grpc-timeout"), timeout);
  });
}

test("a call the upstream works on is not ended by the bridge", async (t) => {
  const upstream = await silent(t, 100);
  const { address } = await bridgeTo(t, upstream.address);
  const client = await connectRaw(address);
  t.after(() => client.close());
  client.sendHeaders(1, request("/test.Echo/Call", [["grpc-timeout", "20m"]]), Bit.END_STREAM);
  const peer = await upstream.nextPeer();
  const call = await peer.waitFor("the call", (f) => f.headers !== undefined);
  // The client's own clock ends it in real life. Here the answer comes late, and still arrives.
  await new Promise((resolve) => setTimeout(resolve, 60));
  peer.sendHeaders(
    call.stream,
    [
      [":status", "200"],
      ["content-type", "application/grpc"],
      ["grpc-status", "4"],
    ],
    Bit.END_STREAM,
  );
  assert.equal((await client.outcome(1)).grpcStatus, grpc.status.DEADLINE_EXCEEDED);
  assert.equal(
    peer.log.some((f) => f.type === Type.RST_STREAM),
    false,
  );
});

test("a call that is answered in the bridge expires, and what it did for it is cancelled", async (t) => {
  const upstream = await silent(t, 100);
  const cancelled = Promise.withResolvers<void>();
  const routes: Routes = new Map([
    [
      "/test.Echo/Call",
      {
        lane: "local",
        async handle(call) {
          call.caller.cancelled.addEventListener("abort", () => cancelled.resolve());
          await cancelled.promise;
        },
      },
    ],
  ]);
  const { address } = await bridgeTo(t, upstream.address, {}, { routes });
  const client = await connectRaw(address);
  t.after(() => client.close());
  client.sendHeaders(1, request("/test.Echo/Call", [["grpc-timeout", "30m"]]), Bit.END_STREAM);
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, grpc.status.DEADLINE_EXCEEDED);
  assert.equal(record.last("grpc-message"), "the call's deadline passed in the bridge");
  await cancelled.promise;
});
