import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bridgeTo } from "../support/bridge.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw, request } from "../support/raw-h2/client.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";

// Connections without calls are closed after a time, which the tests let pass by hand.

const IDLE = 60_000;

async function watched(t: TestContext, idleMs = IDLE) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const upstream = await startEcho();
  t.after(() => upstream.close());
  const timeouts = { connectMs: 2_000, idleMs, upstreamPingMs: 0 };
  const bridge = await bridgeTo(t, upstream.address, { timeouts });
  const client = await connectRaw(bridge.address);
  t.after(() => client.close());
  return { bridge, client, pass: () => t.mock.timers.tick(IDLE) };
}

test("a connection without calls is closed in good order, and so is its way to the upstream", async (t) => {
  const { bridge, client, pass } = await watched(t);
  client.sendHeaders(1, request(), h2.Bit.END_STREAM);
  await client.outcome(1);
  pass();
  await client.fence();
  assert.equal(
    client.log.some((f) => f.type === h2.Type.GOAWAY),
    false,
  );
  pass();
  assert.equal((await client.goaway(true)).code, "NO_ERROR");
  await client.closed();
  await eventually(async () => (await bridge.metrics()).upstream.connections === 0, "no upstream connection");
});

test("a connection with a call, however quiet, stays", async (t) => {
  const { client, pass } = await watched(t);
  client.sendHeaders(1, request());
  await client.waitFor("an answer", (f) => f.headers !== undefined);
  for (let i = 0; i < 5; i++) pass();
  client.send(h2.data(1, Buffer.from("hi"), h2.Bit.END_STREAM));
  assert.equal((await client.outcome(1)).grpcStatus, 0);
});

test("a connection with a call now and then stays", async (t) => {
  const { client, pass } = await watched(t);
  for (let stream = 1; stream < 12; stream += 2) {
    client.sendHeaders(stream, request(), h2.Bit.END_STREAM);
    assert.equal((await client.outcome(stream)).grpcStatus, 0);
    pass();
  }
  await client.fence();
  assert.equal(client.isClosed, false);
});

test("off is for ever", async (t) => {
  const { client, pass } = await watched(t, 0);
  for (let i = 0; i < 5; i++) pass();
  await client.fence();
});
