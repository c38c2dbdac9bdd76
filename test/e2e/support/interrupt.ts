import { setTimeout as sleep } from "node:timers/promises";
import type { BridgeProcess } from "./bridge.ts";

/** Waits until `due` holds while `work` runs; rejects when the work is over before. */
export async function amid(work: Promise<unknown>, due: () => Promise<boolean>): Promise<void> {
  let over = false;
  const ended = () => {
    over = true;
  };
  work.then(ended, ended);
  // What it waits for is told only when asked, so it is asked for until it is so.
  while (!over && !(await due())) await sleep(2);
  if (over) throw new Error(`the work ended before it could be interrupted: ${JSON.stringify(await work)}`);
}

/**
 * Ends the bridge with `kill -9` as soon as `due` holds, while `work` runs through it, and brings it back at once. Resolves to what the
 * work gives in spite of that; rejects when the work is over before, as then nothing was interrupted.
 */
export async function interrupt<T>(
  bridge: BridgeProcess,
  work: Promise<T>,
  due: () => Promise<boolean>,
): Promise<T> {
  await amid(work, due);
  await bridge.kill();
  await bridge.restart();
  return await work;
}
