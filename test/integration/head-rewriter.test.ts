import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { CallError } from "../../src/proxy/messages/call-error.ts";
import { type HeadRewrite, rewriteHead } from "../../src/proxy/messages/head-rewriter.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { Walker } from "../../src/wire/walker.ts";
import { atRest } from "../support/at-rest.ts";
import { bridgeTo } from "../support/bridge.ts";
import { GrpcClient, grpcServer } from "../support/grpc.ts";
import { connectRaw, message, request } from "../support/raw-h2/client.ts";
import { serveEcho, startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { startRawServer } from "../support/raw-h2/server.ts";

// A relayed method whose field 1, a name, is rewritten on its way, as instance names and resource names are.

const shout: HeadRewrite = (value) => Buffer.from((value ?? Buffer.from("nobody")).toString().toUpperCase());

function fields(...entries: [number, string | number][]): Buffer {
  const pieces = entries.map(([number, value]) => {
    const writer = new FieldWriter();
    if (typeof value === "number") writer.varint(number, value);
    else writer.text(number, value);
    return Buffer.concat(writer.finish());
  });
  return Buffer.concat(pieces);
}

async function echoThrough(t: TestContext, rewrite: HeadRewrite) {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  const routes = new Map([["/test.Echo/Call", { lane: "relay", filter: rewriteHead(1, rewrite) } as const]]);
  const bridge = await bridgeTo(t, upstream.address, {}, { routes });
  // The first connection was the bridge's greeting.
  await upstream.nextPeer();
  const client = await connectRaw(bridge.address);
  t.after(() => client.close());
  return { client, upstream, bridge };
}

/** What comes back of `body`, sent in DATA frames of `step` bytes. */
async function echoed(t: TestContext, rewrite: HeadRewrite, body: Buffer, step: number): Promise<Buffer> {
  const { client, bridge } = await echoThrough(t, rewrite);
  client.sendHeaders(1, request());
  for (let at = 0; at < body.length; at += step) client.send(h2.data(1, body.subarray(at, at + step)));
  client.send(h2.data(1, Buffer.alloc(0), h2.Bit.END_STREAM));
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, 0, String(record.last("grpc-message")));
  client.close();
  await atRest(bridge);
  return record.bytes();
}

const first = fields([1, "blobs/me"], [2, 300], [10, "payload ".repeat(40)]);
const second = fields([2, 700], [10, "more"], [1, "not the first message"]);

for (const step of [1, 2, 7, 64, 16_384]) {
  test(`the first message is rewritten and the rest is not, in frames of ${step} bytes`, async (t) => {
    const body = Buffer.concat([message(first), message(second), message(Buffer.alloc(0))]);
    const rewritten = fields([1, "BLOBS/ME"], [2, 300], [10, "payload ".repeat(40)]);
    assert.deepEqual(
      await echoed(t, shout, body, step),
      Buffer.concat([message(rewritten), message(second), message(Buffer.alloc(0))]),
    );
  });
}

test("a value that is left alone leaves every byte alone", async (t) => {
  // A length in three bytes where one would do: legal, and to be kept.
  const body = message(Buffer.from([0x0a, 0x82, 0x80, 0x00, 0x61, 0x62, 0x10, 0x01]));
  assert.deepEqual(await echoed(t, (value) => value, body, 3), body);
});

test("a field can change its length either way, appear and disappear", async (t) => {
  const long = Buffer.alloc(500, "x");
  assert.deepEqual(
    await echoed(t, () => long, message(first), 5),
    message(fields([1, long.toString()], [2, 300], [10, "payload ".repeat(40)])),
  );
  assert.deepEqual(
    await echoed(t, () => null, message(first), 5),
    message(fields([2, 300], [10, "payload ".repeat(40)])),
  );
  assert.deepEqual(
    await echoed(t, shout, message(fields([2, 5])), 1),
    message(fields([1, "NOBODY"], [2, 5])),
  );
  assert.deepEqual(await echoed(t, shout, message(Buffer.alloc(0)), 1), message(fields([1, "NOBODY"])));
});

test("a field further down is found behind those with lower numbers", async (t) => {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  const routes = new Map([["/test.Echo/Call", { lane: "relay", filter: rewriteHead(4, shout) } as const]]);
  const bridge = await bridgeTo(t, upstream.address, {}, { routes });
  const client = await connectRaw(bridge.address);
  t.after(() => client.close());
  const body = message(fields([1, "first"], [2, 3], [4, "four"], [5, "five"]));
  client.sendHeaders(1, request());
  for (const byte of body) client.send(h2.data(1, Buffer.of(byte)));
  client.send(h2.data(1, Buffer.alloc(0), h2.Bit.END_STREAM));
  const record = await client.outcome(1);
  assert.deepEqual(record.bytes(), message(fields([1, "first"], [2, 3], [4, "FOUR"], [5, "five"])));
});

test("a large first message streams: the upstream has its head before the client sent its end", async (t) => {
  const { client, upstream } = await echoThrough(t, shout);
  const payload = Buffer.alloc(3_000_000, "z");
  const writer = new FieldWriter();
  writer.text(1, "blobs/me");
  writer.bytes(10, payload);
  const body = message(Buffer.concat(writer.finish()));
  client.sendHeaders(1, request());
  await client.sendBody(1, body.subarray(0, 1000), false);
  const peer = await upstream.nextPeer();
  await peer.waitFor("the first bytes", (f) => f.type === h2.Type.DATA && f.payload.length > 0);
  await client.sendBody(1, body.subarray(1000));
  const record = await client.outcome(1);
  const field = new Walker(record.bytes(), 5);
  assert.ok(field.next());
  assert.equal(field.text(), "BLOBS/ME");
  assert.ok(field.next());
  assert.ok(field.bytes().equals(payload));
});

for (const [what, body, code, text] of [
  ["a second occurrence", message(fields([1, "a"], [2, 1], [1, "b"])), 3, /twice/],
  ["a field after a higher one", message(fields([2, 1], [1, "b"])), 3, /after a higher one/],
  ["a field of the wrong type", message(fields([1, 5])), 3, /wrong type/],
  ["broken protobuf", message(Buffer.from([0x0a, 0x05, 0x61])), 3, /ends inside/],
  ["a name without end", message(fields([1, "n".repeat(70_000)])), 8, /within its first 65536 bytes/],
  ["a wrong envelope", Buffer.from([7, 0, 0, 0, 0]), 13, /flag byte 7/],
  ["a message that is cut", message(fields([1, "a"])).subarray(0, 6), 13, /ended inside a message/],
  ["a defect of the rewrite", message(fields([1, "break me"])), 13, /its log says more/],
  ["a refusal by the rewrite itself", message(fields([1, "refuse me"])), 3, /refused/],
] as const) {
  test(`${what} refuses the call before its request is complete, and disturbs no other`, async (t) => {
    const { client, upstream, bridge } = await echoThrough(t, (value) => {
      if (value?.toString() === "refuse me") throw new CallError(3, "refused");
      if (value?.toString() === "break me") throw new TypeError("a mistake");
      return value;
    });
    client.sendHeaders(1, request());
    client.sendHeaders(3, request());
    client.send(h2.data(3, message(fields([1, "other"]))));
    await client.sendBody(1, body);
    const record = await client.outcome(1);
    assert.equal(record.grpcStatus, code);
    assert.match(decodeURIComponent(record.last("grpc-message") ?? ""), text);
    const peer = await upstream.nextPeer();
    assert.equal(await peer.resetOf(1), "CANCEL");
    assert.equal(peer.stream(1).ended, false);
    client.send(h2.data(3, Buffer.alloc(0), h2.Bit.END_STREAM));
    assert.deepEqual((await client.outcome(3)).bytes(), message(fields([1, "other"])));
    client.close();
    await atRest(bridge);
  });
}

test("a compressed first message is opened, rewritten and sent plain; the next ones stay compressed", async (t) => {
  const { client } = await echoThrough(t, shout);
  const zipped = (bytes: Buffer): Buffer => {
    const packed = message(gzipSync(bytes));
    packed[0] = 1;
    return packed;
  };
  client.sendHeaders(1, request("/test.Echo/Call", [["grpc-encoding", "gzip"]]));
  const body = Buffer.concat([zipped(first), zipped(second), message(second)]);
  for (let at = 0; at < body.length; at += 11) client.send(h2.data(1, body.subarray(at, at + 11)));
  client.send(h2.data(1, Buffer.alloc(0), h2.Bit.END_STREAM));
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, 0, String(record.last("grpc-message")));
  const rewritten = fields([1, "BLOBS/ME"], [2, 300], [10, "payload ".repeat(40)]);
  assert.deepEqual(record.bytes(), Buffer.concat([message(rewritten), zipped(second), message(second)]));
});

test("a compressed bomb is refused", async (t) => {
  const { client } = await echoThrough(t, shout);
  const packed = message(gzipSync(Buffer.alloc(100 * 1024 * 1024)));
  packed[0] = 1;
  client.sendHeaders(1, request("/test.Echo/Call", [["grpc-encoding", "gzip"]]));
  await client.sendBody(1, packed);
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, 8);
});

test("a content-length, which may not hold any more, is not passed on", async (t) => {
  const { client, upstream } = await echoThrough(t, () => Buffer.from("a longer name than before"));
  const body = message(first);
  client.sendHeaders(1, request("/test.Echo/Call", [["content-length", String(body.length)]]));
  client.send(h2.data(1, body, h2.Bit.END_STREAM));
  assert.equal((await client.outcome(1)).grpcStatus, 0);
  const head = (await upstream.nextPeer()).stream(1).sections[0]!;
  assert.ok(!head.some(([name]) => name === "content-length"));
});

test("what comes before there is a stream to the upstream is rewritten as well", async (t) => {
  let peers = 0;
  const upstream = await startRawServer((peer) => {
    serveEcho(peer);
    // The first connection is the bridge's greeting; the second is made to wait.
    return ++peers === 1;
  });
  t.after(() => upstream.close());
  const routes = new Map([["/test.Echo/Call", { lane: "relay", filter: rewriteHead(1, shout) } as const]]);
  const bridge = await bridgeTo(t, upstream.address, {}, { routes });
  const client = await connectRaw(bridge.address);
  t.after(() => client.close());
  client.sendHeaders(1, request());
  const body = Buffer.concat([message(first), message(second)]);
  for (let at = 0; at < body.length; at += 50) client.send(h2.data(1, body.subarray(at, at + 50)));
  client.send(h2.data(1, Buffer.alloc(0), h2.Bit.END_STREAM));
  await client.fence();
  await upstream.nextPeer();
  const peer = await upstream.nextPeer();
  peer.send(h2.settings());
  const rewritten = fields([1, "BLOBS/ME"], [2, 300], [10, "payload ".repeat(40)]);
  assert.deepEqual((await client.outcome(1)).bytes(), Buffer.concat([message(rewritten), message(second)]));
});

test("an upload by grpc-js arrives with its new name and every byte of its data", async (t) => {
  const chunks = Array.from({ length: 40 }, (_, i) => fields([10, String(i).repeat(30_000)]));
  const start = fields([1, "uploads/x"], [10, "y".repeat(50_000)]);
  const got: Buffer[] = [];
  const server = await grpcServer(t, {
    ClientStream(call, done) {
      call.on("data", (bytes: Buffer) => void got.push(bytes));
      call.on("end", () => done(null, Buffer.from("done")));
    },
  });
  const routes = new Map([
    ["/test.Shapes/ClientStream", { lane: "relay", filter: rewriteHead(1, shout) } as const],
  ]);
  const bridge = await bridgeTo(t, server, {}, { routes });
  const outcome = await new GrpcClient(t, bridge.address).call("ClientStream", [start, ...chunks]);
  assert.deepEqual([outcome.code, outcome.details], [0, "OK"]);
  assert.deepEqual(got, [fields([1, "UPLOADS/X"], [10, "y".repeat(50_000)]), ...chunks]);
});
