/** How much goes into one call (D18). */
import type { UpstreamDialect } from "./dialect.ts";

/** What is kept free of a message for what the content is wrapped in. */
const HEADROOM = 1 / 4;

/** Bytes around one entry of a batch that are counted besides its content: a digest with a hash of 128 digits, lengths, a status. */
export const ENTRY_BYTES = 256;

/** Bytes to put into a message. */
export function messageLimit({ maxMessageBytes }: UpstreamDialect): number {
  return Math.floor(maxMessageBytes * (1 - HEADROOM));
}

/** Bytes to put into a batch, entries and content together: right by either reading of the announced limit (P03). */
export function batchLimit(dialect: UpstreamDialect): number {
  const { maxBatchBytes } = dialect;
  return Math.min(messageLimit(dialect), maxBatchBytes === 0 ? Number.POSITIVE_INFINITY : maxBatchBytes);
}

/** The items in order, in as many lists as it takes for none to exceed `limit` bytes; an item above it is alone. */
export function* inBatches<Item>(
  items: Iterable<Item>,
  limit: number,
  bytesOf: (item: Item) => number,
): Generator<Item[], void, void> {
  let batch: Item[] = [];
  let total = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    if (batch.length > 0 && total + bytes > limit) {
      yield batch;
      batch = [];
      total = 0;
    }
    batch.push(item);
    total += bytes;
  }
  if (batch.length > 0) yield batch;
}
