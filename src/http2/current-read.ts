import type { Block } from "./block.ts";

/**
 * The memory the running read event delivers from. Whoever passes bytes on asks here whether they must be copied. There is one,
 * because a process handles one read event at a time.
 */
export const currentRead: {
  /** The buffer the bytes are in; null between read events. */
  buffer: Buffer | null;
  /** What to pin while a write refers to `buffer`; null if the garbage collector looks after it. */
  block: Block | null;
  /** True if `buffer` is filled again right after the event, so that nothing may refer to it later. */
  volatile: boolean;
  /** When the event began, in milliseconds of `performance.now()`. */
  time: number;
} = { buffer: null, block: null, volatile: false, time: 0 };

/** The time, in milliseconds of `performance.now()`: during a read event that of its beginning, which costs nothing to ask for. */
export function eventTime(): number {
  return currentRead.buffer === null ? performance.now() : currentRead.time;
}
