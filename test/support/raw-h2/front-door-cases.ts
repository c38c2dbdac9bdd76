import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type BridgeSettings, type RunningBridge, startBridge } from "./bridge.ts";
import { Bystander } from "./bystander.ts";
import { connectRaw, connectSilent, request } from "./client.ts";
import { eventually, nothingLeft } from "./counters.ts";
import { end, startEcho } from "./echo.ts";
import { type Code, Type } from "./frames.ts";
import type { RawPeer } from "./peer.ts";
import type { RawServer } from "./server.ts";

/** What must come of something a peer does: nothing, one stream reset, or the end of the connection. */
export type Verdict =
  | "ignored"
  | { readonly stream: number; readonly code: keyof typeof Code }
  | { readonly connection: keyof typeof Code };

/** Something a client may do to the bridge, and what must come of it. */
export interface FrontDoorCase {
  /** Section of RFC 9113 and what is done. */
  readonly rule: string;
  readonly send: (client: RawPeer) => void | Promise<void>;
  readonly verdict: Verdict;
  /** Do not send the client's preface and SETTINGS first. */
  readonly silent?: boolean;
}

/** Opens call `stream` and leaves it open. */
export function open(client: RawPeer, stream = 1): void {
  client.sendHeaders(stream, request());
}

/** A whole call on `stream`: it must go well. */
export async function wholeCall(client: RawPeer, stream: number): Promise<void> {
  open(client, stream);
  client.send(end(stream));
  const record = await client.outcome(stream);
  assert.equal(record.grpcStatus, 0, `a call afterwards; ${client.story()}`);
}

/** Checks that `peer` is treated as `verdict` says, and no worse. */
export async function checkVerdict(peer: RawPeer, verdict: Verdict): Promise<void> {
  if (verdict !== "ignored" && "connection" in verdict) {
    assert.equal((await peer.goaway()).code, verdict.connection, peer.story());
    await peer.closed();
    return;
  }
  if (verdict !== "ignored") assert.equal(await peer.resetOf(verdict.stream), verdict.code, peer.story());
  await peer.fence();
  const resets = peer.log.filter((f) => f.type === Type.RST_STREAM).map((f) => f.stream);
  assert.deepEqual(resets, verdict === "ignored" ? [] : [verdict.stream], peer.story());
  assert.equal(
    peer.log.some((f) => f.type === Type.GOAWAY),
    false,
    peer.story(),
  );
}

/**
 * Registers one test a case: a fresh connection to a bridge with an echo behind it misbehaves; the verdict is exact, a bystander's call goes on,
 * and no stream is left over.
 */
export function frontDoorCases(cases: readonly FrontDoorCase[], settings: BridgeSettings = {}): void {
  let upstream: RawServer;
  let bridge: RunningBridge;
  let bystander: Bystander;
  before(async () => {
    upstream = await startEcho();
    bridge = await startBridge(upstream.address, settings);
    bystander = await Bystander.start(bridge.address);
  });
  after(async () => {
    await bystander.finish();
    await nothingLeft(bridge);
    await bridge.stop();
    await upstream.close();
  });
  for (const { rule, send, verdict, silent } of cases) {
    test(rule, async () => {
      const client = await (silent ? connectSilent : connectRaw)(bridge.address);
      try {
        await send(client);
        await checkVerdict(client, verdict);
        await bystander.check();
      } finally {
        client.close();
      }
      await eventually(bridge, { clientStreams: 1, upstreamStreams: 1, queued: 0 });
    });
  }
}
