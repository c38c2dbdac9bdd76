import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningBridge } from "./bridge.ts";

/** What a bridge has open and holds at one moment. */
export interface OpenThings {
  clientStreams: number;
  upstreamStreams: number;
  clientConnections: number;
  upstreamConnections: number;
  queued: number;
  budgetHeld: number;
}

/** Reads what is open now. */
async function openThings(bridge: RunningBridge): Promise<OpenThings> {
  const metrics = await bridge.metrics();
  const read = (name: string): number => {
    const value = metrics.get(`reapi_bridge_${name}`);
    assert.notEqual(value, undefined, `/metrics has no reapi_bridge_${name}`);
    return value!;
  };
  return {
    clientStreams: read('open_streams{side="client"}'),
    upstreamStreams: read('open_streams{side="upstream"}'),
    clientConnections: read('open_connections{side="client"}'),
    upstreamConnections: read('open_connections{side="upstream"}'),
    queued: read("queued_calls"),
    budgetHeld: read("budget_held_bytes"),
  };
}

/** Waits until the counts in `expected` are reached; fails with the last ones seen if that takes longer than `patienceMs`. */
export async function eventually(
  bridge: RunningBridge,
  expected: Partial<OpenThings>,
  patienceMs = 3_000,
): Promise<OpenThings> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const now = await openThings(bridge);
    const relevant = Object.fromEntries(
      Object.keys(expected).map((key) => [key, now[key as keyof OpenThings]]),
    );
    if (Object.entries(expected).every(([key, value]) => relevant[key] === value)) return now;
    if (Date.now() > deadline) assert.deepEqual(relevant, expected, "something leaked, or never came");
    await sleep(10);
  }
}

/** Waits until the bridge has nothing open and holds nothing: what every test must leave behind once its connections are closed. */
export async function nothingLeft(bridge: RunningBridge): Promise<void> {
  await eventually(bridge, {
    clientStreams: 0,
    upstreamStreams: 0,
    clientConnections: 0,
    upstreamConnections: 0,
    queued: 0,
    budgetHeld: 0,
  });
}
