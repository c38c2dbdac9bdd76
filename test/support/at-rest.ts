import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bridge } from "../../src/index.ts";

/** Waits until a bridge has no connection and no stream open and holds nothing: what a test leaves once its clients are gone. */
export async function atRest(bridge: Pick<Bridge, "metrics">, patienceMs = 3_000): Promise<void> {
  const nothing = { clients: 0, upstreams: 0, clientStreams: 0, upstreamStreams: 0, queued: 0, held: 0 };
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const { client, upstream, bridge: own } = await bridge.metrics();
    const open = {
      clients: client.connections,
      upstreams: upstream.connections,
      clientStreams: client.streams,
      upstreamStreams: upstream.streams,
      queued: own.queued,
      held: own.budgetHeld,
    };
    if (Object.values(open).every((count) => count === 0)) return;
    if (Date.now() > deadline) assert.deepEqual(open, nothing, "something leaked");
    await sleep(10);
  }
}
