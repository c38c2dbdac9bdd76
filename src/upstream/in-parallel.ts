interface Done<Item, Result> {
  readonly item: Item;
  readonly result: Result;
}

/**
 * Does `work` for each item, no two of which are the same, at most `limit` at a time, and yields what comes of it in the order in which
 * it is done. When one fails or the generator is left, `stop` is aborted, and the generator is over once no work is going on any more.
 */
export async function* inParallel<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item, stop: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const stopping = new AbortController();
  const running = new Map<Item, Promise<Done<Item, Result>>>();
  try {
    for (const item of items) {
      running.set(
        item,
        work(item, stopping.signal).then((result) => ({ item, result })),
      );
      if (running.size === limit) yield await firstDone(running);
    }
    while (running.size > 0) yield await firstDone(running);
  } finally {
    stopping.abort();
    await Promise.allSettled(running.values());
  }
}

/** Waits for any of what is running, and takes it out. */
async function firstDone<Item, Result>(running: Map<Item, Promise<Done<Item, Result>>>): Promise<Result> {
  const { item, result } = await Promise.race(running.values());
  running.delete(item);
  return result;
}
