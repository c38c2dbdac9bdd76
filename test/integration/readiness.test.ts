import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bridgeTo } from "../support/bridge.ts";
import { eventually } from "../support/eventually.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import { startRawServer } from "../support/raw-h2/server.ts";

// What probes of an orchestrator get to hear; the tests let time pass by hand.

/** As long as an answer counts, and a little more. */
const STALE = 2_100;

async function probed(t: TestContext, upstream: string) {
  t.mock.timers.enable({ apis: ["Date"] });
  const { admin } = await bridgeTo(t, upstream, { admin: { kind: "tcp", host: "127.0.0.1", port: 0 } });
  const get = async (path: string) => {
    const response = await fetch(`http://${admin}${path}`);
    return [response.status, (await response.text()).trimEnd()] as const;
  };
  return { get };
}

/** Asks until the answer begins with `expected`; each round is later than the answer before counts. */
function becomes(
  t: TestContext,
  get: (path: string) => Promise<readonly [number, string]>,
  expected: string,
) {
  return eventually(async () => {
    t.mock.timers.tick(STALE);
    await get("/ready");
    return (await get("/ready"))[1].startsWith(expected);
  }, expected);
}

test("ready follows the upstream down and up again; live stays", async (t) => {
  const first = await startEcho();
  const { get } = await probed(t, first.address);
  assert.equal((await get("/ready"))[0], 200);
  await first.close();
  await becomes(t, get, `not ready: cannot reach the upstream ${first.address}: connection refused`);
  assert.equal((await get("/ready"))[0], 503);
  assert.deepEqual(await get("/live"), [200, "live"]);
  const second = await startRawServer(() => {}, {}, Number(first.address.split(":")[1]));
  t.after(() => second.close());
  await becomes(t, get, `ready: the upstream ${first.address} takes connections`);
});

test("an upstream that is down at the start: not ready from the first moment", async (t) => {
  const { get } = await probed(t, "127.0.0.1:1");
  assert.deepEqual(await get("/ready"), [
    503,
    "not ready: cannot reach the upstream 127.0.0.1:1: connection refused",
  ]);
});

test("probes in between cost the upstream nothing", async (t) => {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  const { get } = await probed(t, upstream.address);
  for (let i = 0; i < 20; i++) await get("/ready");
  assert.equal(upstream.peers.length, 1);
});
