import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type BridgeProcess, startBridgeProcess } from "../support/bridge-process.ts";
import { cleanUp } from "../support/clean-up.ts";
import { answerAfterRequest, type HttpUpstream, startHttpUpstream } from "../support/http-upstream.ts";
import { Bystander } from "../support/raw-h2/bystander.ts";
import { connectRaw } from "../support/raw-h2/client.ts";
import { eventually, nothingLeft } from "../support/raw-h2/counters.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { encodeHeaders, type Header } from "../support/raw-h2/hpack.ts";
import type { RawServer } from "../support/raw-h2/server.ts";

// Clients of the plain-HTTP side lane that go away at the worst moments. An error nobody listens for would end
// the process, so it is one of its own.

const GET: Header[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/ac/0123"],
  [":authority", "bridge.test"],
];
const PUT: Header[] = [[":method", "PUT"], ...GET.slice(1)];
const BODY = Buffer.alloc(3_000_000, "side");

let grpc: RawServer;
let web: HttpUpstream;
let bridge: BridgeProcess;
let bystander: Bystander;

before(async () => {
  grpc = await startEcho();
  web = await startHttpUpstream(answerAfterRequest(BODY));
  bridge = await startBridgeProcess(grpc.address, "--http-upstream", web.url);
  bystander = await Bystander.start(bridge.address);
});
after(() =>
  cleanUp(
    () => bystander.finish(),
    () => nothingLeft(bridge),
    () => bridge.stop(),
    () => web.close(),
    () => grpc.close(),
  ),
);

function head(stream: number, headers: Header[], flags: number): Buffer {
  return h2.frame(h2.Type.HEADERS, h2.Bit.END_HEADERS | flags, stream, encodeHeaders(headers));
}

test("requests that are reset in the packet that opened them", async () => {
  const client = await connectRaw(bridge.address);
  for (let stream = 1; stream < 200; stream += 2) {
    client.send(head(stream, GET, h2.Bit.END_STREAM), h2.reset(stream, h2.Code.CANCEL));
    if (stream % 20 === 1) await client.fence();
  }
  await client.fence();
  client.sendHeaders(201, GET, h2.Bit.END_STREAM);
  const record = await client.outcome(201);
  assert.equal(record.last(":status"), "200");
  assert.ok(record.bytes().equals(BODY));
  client.close();
});

test("requests that are reset while the answer is on its way", async () => {
  const client = await connectRaw(bridge.address);
  for (let stream = 1; stream < 20; stream += 2) {
    client.sendHeaders(stream, GET, h2.Bit.END_STREAM);
    await client.waitFor("data", (f) => f.type === h2.Type.DATA && f.stream === stream);
    client.send(h2.reset(stream, h2.Code.CANCEL));
  }
  await client.fence();
  await bystander.check();
  client.close();
});

test("connections that are cut in the middle of an upload and of a download", async () => {
  for (let turn = 0; turn < 5; turn++) {
    const client = await connectRaw(bridge.address);
    client.sendHeaders(1, PUT);
    client.sendHeaders(3, GET, h2.Bit.END_STREAM);
    await client.sendBody(1, Buffer.alloc(100_000), false);
    await client.waitFor("data", (f) => f.type === h2.Type.DATA && f.stream === 3);
    client.close();
  }
  await bystander.check();
  await eventually(bridge, { clientStreams: 1, clientConnections: 1 });
});

test("an upload that the upstream never reads ends with its client", async () => {
  const stalled = await startHttpUpstream(() => {});
  const other = await startBridgeProcess(grpc.address, "--http-upstream", stalled.url);
  const uploader = await connectRaw(other.address);
  uploader.sendHeaders(1, PUT);
  const sending = uploader.sendBody(1, Buffer.alloc(20_000_000));
  await uploader.fence();
  await eventually(other, { clientStreams: 1 });
  uploader.close();
  await sending;
  await nothingLeft(other);
  await other.stop();
  await stalled.close();
});
