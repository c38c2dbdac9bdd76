import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits for `what` to become true; fails if it takes longer than `patienceMs`. */
export async function eventually(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = 5_000,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, `it never came about: ${what}`);
    await sleep(5);
  }
}
