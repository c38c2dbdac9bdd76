/**
 * Calls `work` for each item, at most `limit` at a time, and returns the results in the order of the items. After a failure no more
 * calls begin; the first failure is thrown once those that run have ended, so that nothing goes on behind the caller's back.
 */
export async function concurrently<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const entries = [...items].entries();
  let failed = false;
  const lane = async () => {
    for (const [index, item] of entries) {
      if (failed) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: limit }, lane));
  const broken = lanes.find((end) => end.status === "rejected");
  if (broken !== undefined) throw broken.reason;
  return results;
}
