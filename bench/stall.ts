/** How much memory a proxy holds for answers that nobody takes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { STALLED_CALLS, type Stall } from "./loads.ts";
import type { Route } from "./measure.ts";
import { runPinned } from "./pinned.ts";
import { residentBytes } from "./process-tree.ts";

const SAMPLE_MS = 50;
/** The proxy is idle when its memory has moved less than this for this long. */
const STEADY_BYTES = 2 ** 20;
const STEADY_MS = 500;

/** Watches the memory of a process until it is steady, and returns the most that was seen. */
async function steadyPeak(pid: number): Promise<number> {
  let low = residentBytes(pid);
  let [high, peak, since] = [low, low, Date.now()];
  while (Date.now() - since < STEADY_MS) {
    await delay(SAMPLE_MS);
    const now = residentBytes(pid);
    peak = Math.max(peak, now);
    [low, high] = [Math.min(low, now), Math.max(high, now)];
    if (high - low > STEADY_BYTES) [low, high, since] = [now, now, Date.now()];
  }
  return peak;
}

/**
 * MiB above idle at the worst moment of a stall. Idle is a fresh process that has carried a thousand small calls. Afterwards everything
 * is let go and has to arrive whole.
 */
export async function measureStall(route: Route, load: Stall): Promise<number> {
  const proxy = route.proxy!;
  const address = `127.0.0.1:${route.port}`;
  const core = route.cores.generator;
  await runPinned([route.generator, address, "unary", "--inflight", "10", "--calls", "1000"], core);
  await steadyPeak(proxy);
  const idle = residentBytes(proxy);
  const args = ["download", "--check", "--inflight", String(STALLED_CALLS), "--calls", String(STALLED_CALLS)];
  const child = spawn(
    "taskset",
    ["-c", String(core), route.generator, address, ...args, "--stall", load.how],
    {
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  const errors = text(child.stderr);
  const exit = once(child, "exit") as Promise<[number | null]>;
  const lines = createInterface(child.stdout);
  const stalled = once(lines, "line");
  let done = false;
  let peak = 0;
  const watch = (async () => {
    while (!done) {
      peak = Math.max(peak, residentBytes(proxy));
      await delay(SAMPLE_MS);
    }
  })();
  await Promise.race([stalled, exit]);
  peak = Math.max(peak, await steadyPeak(proxy));
  done = true;
  await watch;
  child.stdin.end();
  const [code] = await exit;
  if (code !== 0) throw new Error((await errors).trim() || "a stalled call did not arrive whole");
  return (peak - idle) / 2 ** 20;
}
