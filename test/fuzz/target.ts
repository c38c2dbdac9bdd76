/** One thing that is fuzzed, registered in `targets.ts`. `hpack.ts` is an example. */
export interface FuzzTarget {
  /** What `--target` calls it; also its folder in `corpus/` and in `regressions/`. */
  readonly name: string;
  /**
   * Tries one input: throws, an assertion or otherwise, when a property of the code does not hold. It must depend on
   * nothing but `bytes`, which it may change, and leave nothing behind: no timer, no socket, no shared state.
   */
  run(bytes: Uint8Array): void;
}
