import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { startAfterProbe } from "../support/after-probe.ts";
import { bridgeTo } from "../support/bridge.ts";
import { GrpcClient } from "../support/grpc.ts";
import { connectRaw, request } from "../support/raw-h2/client.ts";
import { OK_HEADERS, OK_TRAILERS, serveEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { startRawServer } from "../support/raw-h2/server.ts";

// REFUSED_STREAM promises that nothing was done with a call, so that the client may try again: the promise must get through.

const { Bit, Code } = h2;

/** A client, and an upstream whose connections do as `serve` says. */
async function between(t: TestContext, serve: (peer: RawPeer) => void) {
  const upstream = await startAfterProbe(serve);
  t.after(() => upstream.close());
  const { address } = await bridgeTo(t, upstream.address);
  const client = await connectRaw(address);
  t.after(() => client.close());
  return { upstream, client, address };
}

/** The request that opens a stream of `peer`, the `nth` one. */
async function requestOn(peer: RawPeer, stream: number): Promise<h2.Frame> {
  return peer.waitFor(`a request on stream ${stream}`, (f) => f.stream === stream && f.headers !== undefined);
}

test("REFUSED_STREAM from the upstream reaches the client as REFUSED_STREAM", async (t) => {
  const { client } = await between(t, (peer) => {
    peer.onFrame = ({ stream, headers }) => {
      if (headers !== undefined) peer.send(h2.reset(stream, Code.REFUSED_STREAM));
    };
  });
  client.sendHeaders(1, request());
  assert.equal(await client.resetOf(1), "REFUSED_STREAM");
});

for (const code of ["CANCEL", "INTERNAL_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY"] as const) {
  test(`${code} from the upstream reaches the client as it is`, async (t) => {
    const { client } = await between(t, (peer) => {
      peer.onFrame = ({ stream, headers }) => {
        if (headers !== undefined) peer.send(h2.reset(stream, Code[code]));
      };
    });
    client.sendHeaders(1, request());
    assert.equal(await client.resetOf(1), code);
  });
}

test("GOAWAY: streams above the last id are REFUSED_STREAM, those below end in peace, later ones go elsewhere", async (t) => {
  const { upstream, client } = await between(t, (peer) => void peer);
  for (const stream of [1, 3, 5]) client.sendHeaders(stream, request(), Bit.END_STREAM);
  const first = await upstream.nextPeer();
  await requestOn(first, 5);
  first.send(h2.goaway(3, Code.NO_ERROR));
  assert.equal(await client.resetOf(5), "REFUSED_STREAM");
  client.sendHeaders(7, request(), Bit.END_STREAM);
  const second = await upstream.nextPeer();
  await requestOn(second, 1);
  for (const [peer, stream] of [
    [first, 1],
    [first, 3],
    [second, 1],
  ] as const) {
    peer.sendHeaders(stream, OK_HEADERS);
    peer.sendHeaders(stream, OK_TRAILERS, Bit.END_STREAM);
  }
  for (const stream of [1, 3, 7]) assert.equal((await client.outcome(stream)).grpcStatus, 0);
  await first.closed();
});

test("a graceful GOAWAY of a server that restarts costs a client not one call", async (t) => {
  let answered = 0;
  const upstream = await startRawServer((peer) => {
    serveEcho(peer);
    const echo = peer.onFrame;
    peer.onFrame = (frame) => {
      echo(frame);
      // After each fifth call the server asks to be left alone.
      if (frame.headers !== undefined && ++answered % 5 === 0) {
        peer.send(h2.goaway(0x7fff_ffff, Code.NO_ERROR), h2.goaway(frame.stream, Code.NO_ERROR));
      }
    };
  });
  t.after(() => upstream.close());
  const { address } = await bridgeTo(t, upstream.address);
  const client = new GrpcClient(t, address, undefined, { "grpc.enable_retries": 1 });
  for (let i = 0; i < 30; i++) {
    const { code, details } = await client.call("Unary", [Buffer.from(`${i}`)]);
    assert.equal(code, grpc.status.OK, `call ${i}: ${details}`);
  }
  assert.ok(upstream.peers.length > 5);
});

test("a grpc-js client tries again by itself when a stream was refused", async (t) => {
  let refused = 0;
  const { address } = await between(t, (peer) => {
    serveEcho(peer);
    const echo = peer.onFrame;
    peer.onFrame = (frame) => {
      const isCall =
        frame.headers !== undefined && new Map(frame.headers).get(":path") === "/test.Shapes/Unary";
      if (isCall && refused === 0) {
        refused++;
        peer.send(h2.reset(frame.stream, Code.REFUSED_STREAM));
      } else if (refused > 0 || !isCall) {
        echo(frame);
      }
    };
  });
  const client = new GrpcClient(t, address, undefined, { "grpc.enable_retries": 1 });
  const { code, messages } = await client.call("Unary", [Buffer.from("again")]);
  assert.deepEqual([code, messages.map(String), refused], [grpc.status.OK, ["again"], 1]);
});
