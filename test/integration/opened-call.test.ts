import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { makeField } from "../../src/http2/hpack/field.ts";
import { internName } from "../../src/http2/hpack/name.ts";
import { CallError } from "../../src/proxy/messages/call-error.ts";
import type { CallHandler } from "../../src/proxy/messages/opened-call.ts";
import type { Route } from "../../src/proxy/routing/route.ts";
import { atRest } from "../support/at-rest.ts";
import { bridgeTo, type ConfigParts } from "../support/bridge.ts";
import { GrpcClient, grpcServer, type Handlers, outcomeOf } from "../support/grpc.ts";
import { connectRaw, message, request } from "../support/raw-h2/client.ts";
import { serveEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { startRawServer } from "../support/raw-h2/server.ts";

// Lanes that open messages, tried with one of the tests' own that turns letters into capitals on the way there and small on the way back.

const upper = (bytes: Buffer): Buffer => Buffer.from(bytes.toString("latin1").toUpperCase(), "latin1");
const lower = (bytes: Buffer): Buffer => Buffer.from(bytes.toString("latin1").toLowerCase(), "latin1");

/** Translates both directions, message by message, whatever the shape of the call. */
const translating: CallHandler = async (call) => {
  const upstream = call.call(call.method);
  const sending = (async () => {
    for await (const bytes of call.requests()) await upstream.write([upper(bytes)]);
    await upstream.end();
  })();
  // Whoever reads the answer hears of it.
  sending.catch(() => {});
  for await (const bytes of upstream.messages()) await call.respond([lower(bytes)]);
  await sending;
  call.addTrailers((await upstream.trailers).filter(({ name }) => name.text.startsWith("x-")));
};

function routed(
  methods: string[],
  handle: CallHandler,
  lane: "translate" | "local" | "reject" = "translate",
) {
  return new Map<string, Route>(methods.map((method) => [`/test.Shapes/${method}`, { lane, handle }]));
}

const SHAPES = ["Unary", "ServerStream", "ClientStream", "Bidi"];

async function translated(
  t: TestContext,
  handlers: Handlers,
  handle: CallHandler = translating,
  parts: ConfigParts = {},
  clientOptions: grpc.ClientOptions = {},
) {
  const server = await grpcServer(t, handlers);
  const bridge = await bridgeTo(t, server, parts, { routes: routed(SHAPES, handle) });
  const client = new GrpcClient(t, bridge.address, undefined, clientOptions);
  return { bridge, client };
}

const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

const everyShape: Handlers = {
  Unary: (call, done) => {
    const trailers = new grpc.Metadata();
    trailers.set("x-saw", call.request.toString());
    trailers.set("x-token", call.metadata.get("x-token").join());
    done(null, Buffer.from("FROM UNARY"), trailers);
  },
  ServerStream: (call) => {
    for (let i = 0; i < 5; i++) call.write(Buffer.from(`PART ${i} OF ${call.request}`));
    call.end();
  },
  ClientStream: (call, done) => {
    const all: string[] = [];
    call.on("data", (part: Buffer) => void all.push(part.toString()));
    call.on("end", () => done(null, Buffer.from(all.join("+"))));
  },
  Bidi: (call) => {
    call.on("data", (part: Buffer) => void call.write(Buffer.from(`GOT ${part}`)));
    call.on("end", () => call.end());
  },
};

test("calls of all four shapes are translated both ways, with the caller's metadata and the upstream's trailers", async (t) => {
  const { client, bridge } = await translated(t, everyShape);
  const metadata = new grpc.Metadata();
  metadata.set("x-token", "mine");
  const unary = await client.call("Unary", bytes("one"), metadata);
  assert.deepEqual([unary.code, unary.messages], [0, bytes("from unary")]);
  assert.deepEqual(unary.trailers.get("x-saw"), ["ONE"]);
  assert.deepEqual(unary.trailers.get("x-token"), ["mine"]);
  const stream = await client.call("ServerStream", bytes("a"));
  assert.deepEqual(
    stream.messages.map(String),
    [0, 1, 2, 3, 4].map((i) => `part ${i} of a`),
  );
  assert.deepEqual((await client.call("ClientStream", bytes("a", "b", ""))).messages, bytes("a+b+"));
  const call = client.open("Bidi");
  const first = once(call, "data");
  call.write(Buffer.from("ping"));
  assert.equal(String((await first)[0]), "got ping");
  call.end(Buffer.from("pong"));
  assert.equal((await outcomeOf(call)).code, 0);
  const { calls } = await bridge.metrics();
  assert.deepEqual([...new Set(calls.map(({ lane }) => lane))], ["translate"]);
});

test("large messages and many of them pass with back-pressure", async (t) => {
  const { client, bridge } = await translated(
    t,
    everyShape,
    translating,
    {},
    { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 },
  );
  const parts = Array.from({ length: 30 }, (_, i) => Buffer.alloc(100_000, 97 + (i % 26)));
  const outcome = await client.call("ClientStream", parts);
  assert.equal(outcome.code, 0, outcome.details);
  assert.deepEqual(outcome.messages, bytes(parts.map(String).join("+")));
  assert.ok((await bridge.metrics()).bridge.budgetHeld >= 0);
});

test("the upstream's status, message and details reach the caller", async (t) => {
  const details = Buffer.from([8, 9, 18, 1, 120]);
  const { client } = await translated(t, {
    Unary: (_call, done) => {
      const metadata = new grpc.Metadata();
      metadata.set("grpc-status-details-bin", details);
      done({ code: 9, details: "missing: ünïcode", metadata });
    },
  });
  const outcome = await client.call("Unary", bytes("x"));
  assert.deepEqual([outcome.code, outcome.details], [9, "missing: ünïcode"]);
  assert.deepEqual(outcome.trailers.get("grpc-status-details-bin"), [details]);
});

test("a local answer and a refusal need no upstream", async (t) => {
  const routes = new Map<string, Route>([
    ...routed(["Unary"], async (call) => call.respond([await call.request(), Buffer.from("!")]), "local"),
    ...routed(["Bidi"], async () => Promise.reject(new CallError(12, "the upstream lacks Bidi")), "reject"),
  ]);
  // Nobody listens on port 1.
  const bridge = await bridgeTo(t, "127.0.0.1:1", {}, { routes });
  const client = new GrpcClient(t, bridge.address);
  const local = await client.call("Unary", bytes("hello"));
  assert.deepEqual([local.code, local.messages], [0, bytes("hello!")]);
  const rejected = await client.call("Bidi", bytes("hello"));
  assert.deepEqual([rejected.code, rejected.details], [12, "the upstream lacks Bidi"]);
  const { calls, bridge: own } = await bridge.metrics();
  assert.deepEqual(calls.map(({ lane, codes }) => [lane, codes.findIndex((count) => count > 0)]).sort(), [
    ["local", 0],
    ["reject", 12],
  ]);
  assert.equal(own.refusedTotal, 1);
});

test("a unary request of no or of two messages is refused", async (t) => {
  const { client } = await translated(t, everyShape, async (call) => call.respond([await call.request()]));
  assert.equal((await client.call("Unary", [])).code, 13);
  assert.equal((await client.call("Unary", bytes("a", "b"))).code, 13);
});

test("a lane that fails is INTERNAL for the caller, and the next call works", async (t) => {
  let broken = true;
  const { client } = await translated(t, everyShape, async (call) => {
    if (broken) throw new TypeError("a defect");
    await call.respond([Buffer.from("fine")]);
  });
  const outcome = await client.call("Unary", bytes("a"));
  assert.deepEqual([outcome.code, /defect/.test(outcome.details)], [13, false]);
  broken = false;
  assert.equal((await client.call("Unary", bytes("a"))).code, 0);
});

test("compressed messages are opened: gzip and deflate from the client, gzip from the server", async (t) => {
  for (const algorithm of [1, 2]) {
    const { client } = await translated(
      t,
      {
        Unary: (call, done) => {
          const head = new grpc.Metadata();
          head.set("grpc-internal-encoding-request", "gzip");
          call.sendMetadata(head);
          done(null, Buffer.from(call.request.toString().repeat(50)));
        },
      },
      translating,
      {},
      { "grpc.default_compression_algorithm": algorithm },
    );
    const text = "abc".repeat(2000);
    assert.deepEqual((await client.call("Unary", bytes(text))).messages, bytes(text.repeat(50)));
  }
});

test("what is inflated is bounded by the message limit", async (t) => {
  const limits = {
    bufferBudgetBytes: 64 << 20,
    maxMessageBytes: 1 << 20,
    maxHeaderListBytes: 65_536,
    maxStreamsPerConnection: 100,
  };
  const handle: CallHandler = async (call) =>
    call.respond([Buffer.from(String((await call.request()).length))]);
  const { bridge } = await translated(t, everyShape, handle, { limits });
  const client = await connectRaw(bridge.address);
  const send = (stream: number, packed: Buffer, encoding: string): void => {
    client.sendHeaders(stream, request("/test.Shapes/Unary", [["grpc-encoding", encoding]]));
    const body = message(packed);
    body[0] = 1;
    client.send(h2.data(stream, body, h2.Bit.END_STREAM));
  };
  send(1, gzipSync(Buffer.alloc(1 << 20, "a")), "gzip");
  assert.equal((await client.outcome(1)).grpcStatus, 0);
  send(3, gzipSync(Buffer.alloc((1 << 20) + 1, "a")), "gzip");
  assert.equal((await client.outcome(3)).grpcStatus, 8);
  send(5, Buffer.from("no gzip at all"), "gzip");
  assert.equal((await client.outcome(5)).grpcStatus, 13);
  send(7, Buffer.from("anything"), "zstd");
  const unknown = await client.outcome(7);
  assert.equal(unknown.grpcStatus, 12);
  assert.match(unknown.last("grpc-message") ?? "", /zstd/);
  send(9, Buffer.from("anything"), "identity");
  assert.equal((await client.outcome(9)).grpcStatus, 13);
  client.close();
  await atRest(bridge);
});

test("a message above the limit is refused at its prefix", async (t) => {
  const limits = {
    bufferBudgetBytes: 64 << 20,
    maxMessageBytes: 1000,
    maxHeaderListBytes: 65_536,
    maxStreamsPerConnection: 100,
  };
  const { bridge } = await translated(t, everyShape, translating, { limits });
  const client = await connectRaw(bridge.address);
  client.sendHeaders(1, request("/test.Shapes/Unary"));
  client.send(h2.data(1, message(Buffer.alloc(0), 1001)));
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, 8);
  assert.match(record.last("grpc-message") ?? "", /1001 bytes.*limit is 1000/);
  client.close();
  await atRest(bridge);
});

test("messages that wait hold no more than the budget, and those that fit are served", async (t) => {
  const limits = {
    bufferBudgetBytes: 4 << 20,
    maxMessageBytes: 64 << 20,
    maxHeaderListBytes: 65_536,
    maxStreamsPerConnection: 100,
  };
  const { bridge } = await translated(t, everyShape, translating, { limits });
  const hogs = await Promise.all(Array.from({ length: 8 }, () => connectRaw(bridge.address)));
  for (const hog of hogs) {
    for (let stream = 1; stream < 20; stream += 2) hog.sendHeaders(stream, request("/test.Shapes/Unary"));
    // Announces 60 MB on each stream and sends what windows allow.
    for (let stream = 1; stream < 20; stream += 2) {
      void hog.sendBody(stream, message(Buffer.alloc(1_000_000), 60_000_000), false).catch(() => {});
    }
  }
  const most = limits.bufferBudgetBytes + hogs.length * 65_536 + 65_536;
  for (let i = 0; i < 20; i++) {
    await Promise.all(hogs.map((hog) => (hog.isClosed ? undefined : hog.fence())));
    const { budgetHeld } = (await bridge.metrics()).bridge;
    assert.ok(budgetHeld <= most, `${budgetHeld} bytes held, ${most} allowed`);
  }
  for (const hog of hogs) hog.close();
  await atRest(bridge);
  const outcome = await new GrpcClient(t, bridge.address).call("Unary", bytes("still there"));
  assert.equal(outcome.code, 0, outcome.details);
});

test("calls of the bridge's own do not wait behind the client's, even where the upstream takes one stream at a time", async (t) => {
  const upstream = await startRawServer((peer) => {
    serveEcho(peer);
    peer.send(h2.settings([h2.Setting.MAX_CONCURRENT_STREAMS, 1]));
    return false;
  });
  t.after(() => upstream.close());
  const routes = new Map<string, Route>([["/test.Echo/Opened", { lane: "translate", handle: translating }]]);
  const bridge = await bridgeTo(t, upstream.address, {}, { routes });
  const client = await connectRaw(bridge.address);
  // Twice as many endless relayed calls as there may be connections, so that more wait.
  for (let i = 0; i < 16; i++) client.sendHeaders(1 + 2 * i, request());
  for (let i = 16; i < 26; i++) {
    const stream = 1 + 2 * i;
    client.sendHeaders(stream, request("/test.Echo/Opened"));
    client.send(h2.data(stream, message(Buffer.from("Hello")), h2.Bit.END_STREAM));
  }
  for (let i = 16; i < 26; i++) {
    const record = await client.outcome(1 + 2 * i);
    assert.equal(record.grpcStatus, 0, String(record.last("grpc-message")));
    assert.deepEqual(record.bytes(), message(Buffer.from("hello")));
  }
  assert.ok((await bridge.metrics()).bridge.queued > 0);
  client.close();
  await atRest(bridge);
});

test("a call with calls of its own inside ends even where the upstream takes one stream at a time", async (t) => {
  const upstream = await startRawServer((peer) => {
    serveEcho(peer);
    peer.send(h2.settings([h2.Setting.MAX_CONCURRENT_STREAMS, 1]));
    return false;
  });
  t.after(() => upstream.close());
  const handle: CallHandler = async (call) => {
    const question = await call.request();
    const asked = Array.from({ length: 20 }, async () => {
      const own = call.call("/test.Echo/Part");
      await own.write([question]);
      await own.end();
      const parts: Buffer[] = [];
      for await (const part of own.messages()) parts.push(part);
      return Buffer.concat(parts);
    });
    await call.respond(await Promise.all(asked));
  };
  const routes = new Map<string, Route>([["/test.Echo/Opened", { lane: "translate", handle }]]);
  const bridge = await bridgeTo(t, upstream.address, {}, { routes });
  const client = await connectRaw(bridge.address);
  client.sendHeaders(1, request("/test.Echo/Opened"));
  client.send(h2.data(1, message(Buffer.from("abc")), h2.Bit.END_STREAM));
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, 0, String(record.last("grpc-message")));
  assert.deepEqual(record.bytes(), message(Buffer.from("abc".repeat(20))));
  client.close();
  await atRest(bridge);
});

test("the upstream sees what is left of the deadline; when it passes, both sides are told", async (t) => {
  const seen = Promise.withResolvers<number>();
  const cancelled = Promise.withResolvers<void>();
  const { client } = await translated(t, {
    Unary: (call) => {
      seen.resolve(Number(call.getDeadline()) - Date.now());
      call.on("cancelled", () => cancelled.resolve());
    },
  });
  const outcome = await client.call("Unary", bytes("x"), undefined, { deadline: Date.now() + 400 });
  assert.equal(outcome.code, 4);
  assert.ok((await seen.promise) <= 400);
  await cancelled.promise;
});

test("a deadline passes in a lane that never answers", async (t) => {
  const { bridge } = await translated(t, everyShape, () => new Promise(() => {}));
  const client = await connectRaw(bridge.address);
  client.sendHeaders(1, request("/test.Shapes/Unary", [["grpc-timeout", "50m"]]));
  const record = await client.outcome(1);
  assert.equal(record.grpcStatus, 4);
  client.close();
  await atRest(bridge);
});

test("a client that cancels cancels the calls made for it", async (t) => {
  const started = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const { client, bridge } = await translated(t, {
    Bidi: (call) => {
      started.resolve();
      call.on("cancelled", () => cancelled.resolve());
      call.on("data", () => {});
    },
  });
  const call = client.open("Bidi");
  const outcome = outcomeOf(call);
  call.write(Buffer.from("x"));
  await started.promise;
  call.cancel();
  await cancelled.promise;
  assert.equal((await outcome).code, 1);
  const { calls } = await bridge.metrics();
  assert.deepEqual(
    calls.map(({ codes }) => codes[1]),
    [1],
  );
});

test("an upstream that is down, or goes down, is UNAVAILABLE", async (t) => {
  const down = await bridgeTo(t, "127.0.0.1:1", {}, { routes: routed(SHAPES, translating) });
  const first = await new GrpcClient(t, down.address).call("Unary", bytes("x"));
  assert.equal(first.code, 14);
  assert.match(first.details, /cannot reach the upstream 127\.0\.0\.1:1/);

  const upstream = await startRawServer();
  t.after(() => upstream.close());
  const bridge = await bridgeTo(t, upstream.address, {}, { routes: routed(SHAPES, translating) });
  await upstream.nextPeer();
  const outcome = new GrpcClient(t, bridge.address).call("Unary", bytes("x"));
  const peer = await upstream.nextPeer();
  await peer.waitFor("the call", (frame) => frame.type === h2.Type.HEADERS);
  peer.close();
  assert.equal((await outcome).code, 14);
  assert.match((await outcome).details, /lost the call to the upstream/);
});

test("metadata that a lane adds comes before and after the messages", async (t) => {
  const { client } = await translated(t, everyShape, async (call) => {
    call.head([makeField(internName("x-before"), "b")]);
    await call.respond([Buffer.from("m")]);
    call.addTrailers([makeField(internName("x-after"), "a")]);
  });
  const outcome = await client.call("Unary", bytes("x"));
  assert.deepEqual([outcome.head?.get("x-before"), outcome.trailers.get("x-after")], [["b"], ["a"]]);
});
