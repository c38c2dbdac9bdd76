import { setTimeout as sleep } from "node:timers/promises";
import type { BridgeProcess } from "./bridge.ts";

/**
 * Ends the bridge with `kill -9` as soon as `due` holds, while `work` runs through it, and brings it back at once. Resolves to what the
 * work gives in spite of that; rejects when the work is over before, as then nothing was interrupted.
 */
export async function interrupt<T>(
  bridge: BridgeProcess,
  work: Promise<T>,
  due: () => Promise<boolean>,
): Promise<T> {
  let over = false;
  const ended = () => {
    over = true;
  };
  work.then(ended, ended);
  // The bridge tells its counts only when asked, so they are asked for until they say so.
  while (!over && !(await due())) await sleep(2);
  if (over) throw new Error(`the work ended before it could be interrupted: ${JSON.stringify(await work)}`);
  await bridge.kill();
  await bridge.restart();
  return await work;
}
