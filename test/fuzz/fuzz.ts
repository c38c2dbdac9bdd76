import { mutated } from "./mutate.ts";
import { shrink } from "./shrink.ts";
import type { FuzzTarget } from "./target.ts";

/** An input that breaks a target. */
export interface Crash {
  /** The case of the run that showed it. */
  readonly index: number;
  /** As small as could be made. */
  readonly input: Buffer;
  readonly error: Error;
}

/** What one input does to a target: null if every property holds. */
export function failure(target: FuzzTarget, input: Uint8Array): Error | null {
  try {
    target.run(Buffer.from(input));
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * Tries `cases` inputs made from the corpus and stops at the first that breaks the target. The run follows from `seed` alone.
 * `progress` is told the number of each case before it is tried.
 */
export function fuzz(
  target: FuzzTarget,
  corpus: readonly Buffer[],
  { seed, cases, progress }: { seed: number; cases: number; progress?: (index: number) => void },
): Crash | null {
  for (let index = 0; index < cases; index++) {
    progress?.(index);
    try {
      target.run(mutated(corpus, seed, index));
    } catch {
      const input = shrink(mutated(corpus, seed, index), (bytes) => failure(target, bytes) !== null);
      return { index, input, error: failure(target, input)! };
    }
  }
  return null;
}
