import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type BridgeSettings, type RunningBridge, startBridge } from "./bridge.ts";
import { Bystander } from "./bystander.ts";
import { connectRaw, request } from "./client.ts";
import { eventually, nothingLeft } from "./counters.ts";
import { end, serveEcho } from "./echo.ts";
import { Code, Type } from "./frames.ts";
import { checkVerdict, type Verdict } from "./front-door-cases.ts";
import type { RawPeer } from "./peer.ts";
import { type RawServer, startRawServer } from "./server.ts";
import type { StreamRecord } from "./stream-record.ts";

/** Something an upstream may do to the bridge, and what must come of it on both sides. */
export interface UpstreamCase {
  /** Section of RFC 9113 and what is done. */
  readonly rule: string;
  /** Called when the head of the call has come, which is stream 1 on both sides; the client has not ended it. */
  readonly attack: (upstream: RawPeer, client: RawPeer) => void | Promise<void>;
  /** What the upstream gets for it. */
  readonly verdict: Verdict;
  /** What becomes of the client's call: `status N` of gRPC or `reset CODE`. */
  readonly call: string;
  /** What the status message must say besides. */
  readonly message?: RegExp;
  /** The upstream sends this instead of SETTINGS and a call never comes; `attack` is not called. */
  readonly opening?: Buffer;
}

/** `status N` or `reset CODE`: what became of a call. */
export function ending(record: StreamRecord): string {
  if (record.grpcStatus !== null && record.ended) return `status ${record.grpcStatus}`;
  if (record.reset !== null) return `reset ${Object.keys(Code)[record.reset]}`;
  return `ended without a status: ${JSON.stringify(record.sections)}`;
}

/** A call on a connection that may have to be opened anew: it must go well within three seconds. */
async function recovers(client: RawPeer, firstStream: number): Promise<void> {
  for (let stream = firstStream; ; stream += 2) {
    client.sendHeaders(stream, request());
    client.send(end(stream));
    const record = await client.outcome(stream);
    if (record.grpcStatus === 0) return;
    assert.ok(
      stream < firstStream + 120,
      `calls still fail: ${ending(record)} ${record.last("grpc-message")}`,
    );
    await sleep(50);
  }
}

/**
 * Registers one test a case: the upstream misbehaves on the connection of one client. The verdict it gets and the end of the client's call are
 * exact, the client's next call goes well, a bystander's call goes on, and no stream is left over.
 */
export function upstreamCases(cases: readonly UpstreamCase[], settings: BridgeSettings = {}): void {
  let server: RawServer;
  let bridge: RunningBridge;
  let bystander: Bystander;
  let serve: (peer: RawPeer) => unknown = serveEcho;
  before(async () => {
    server = await startRawServer((peer) => serve(peer));
    bridge = await startBridge(server.address, settings);
    bystander = await Bystander.start(bridge.address);
  });
  after(async () => {
    await bystander.finish();
    await nothingLeft(bridge);
    await bridge.stop();
    await server.close();
  });
  for (const { rule, attack, verdict, call, message, opening } of cases) {
    test(rule, async () => {
      const hostile = Promise.withResolvers<RawPeer>();
      serve = (peer) => {
        serve = serveEcho;
        hostile.resolve(peer);
        if (opening === undefined) return true;
        peer.send(opening);
        return false;
      };
      const client = await connectRaw(bridge.address);
      try {
        client.sendHeaders(1, request());
        const upstream = await hostile.promise;
        if (opening === undefined) {
          await upstream.waitFor("the request", (f) => f.type === Type.HEADERS && f.headers !== undefined);
          await attack(upstream, client);
        }
        await checkVerdict(upstream, verdict);
        const record = await client.outcome(1);
        assert.equal(ending(record), call, `${record.last("grpc-message")}; ${client.story()}`);
        assert.match(record.last("grpc-message") ?? "", message ?? /^/);
        await bystander.check();
        serveEcho(upstream);
        await recovers(client, 3);
      } finally {
        client.close();
      }
      await eventually(bridge, { clientStreams: 1, upstreamStreams: 1, queued: 0 });
    });
  }
}
