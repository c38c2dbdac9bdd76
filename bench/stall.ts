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

/** Watches the memory of a process until something has happened, and returns the most that was seen. */
async function peakUntil(pid: number, event: Promise<unknown>): Promise<number> {
  let peak = 0;
  let happened = false;
  const stop = () => {
    happened = true;
  };
  event.then(stop, stop);
  while (!happened) {
    peak = Math.max(peak, residentBytes(pid));
    await delay(SAMPLE_MS);
  }
  return peak;
}

/**
 * MiB above idle at the worst moment of a stall. Idle is a fresh process that has carried a thousand small calls. Afterwards everything
 * is let go and has to arrive whole; throws where it does not.
 */
export async function measureStall(route: Route, load: Stall): Promise<number> {
  const proxy = route.proxy!;
  const core = route.cores.generator;
  const generate = [route.generator, `127.0.0.1:${route.port}`];
  await runPinned([...generate, "unary", "--inflight", "10", "--calls", "1000"], core);
  await steadyPeak(proxy);
  const idle = residentBytes(proxy);

  const calls = ["--inflight", String(STALLED_CALLS), "--calls", String(STALLED_CALLS)];
  const command = [...generate, "download", "--check", ...calls, "--stall", load.how];
  const child = spawn("taskset", ["-c", String(core), ...command], { stdio: "pipe" });
  const errors = text(child.stderr);
  const exit = once(child, "exit") as Promise<[number | null]>;
  const stalled = once(createInterface(child.stdout), "line");
  const peak = Math.max(await peakUntil(proxy, Promise.race([stalled, exit])), await steadyPeak(proxy));
  child.stdin.end();
  const [code] = await exit;
  if (code !== 0) throw new Error((await errors).trim() || "a stalled call did not arrive whole");
  return (peak - idle) / 2 ** 20;
}
