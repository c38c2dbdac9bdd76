/** BatchUpdateBlobs with data that the server would take for the blob (D17). */
import { gathered } from "../../compression/parts.ts";
import type { BlobParts } from "../../upstream/port.ts";
import { wrongLength } from "../../upstream/stream-in.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { numberIn } from "../../wire/fields.ts";
import { joined, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker } from "../../wire/walker.ts";
import { Holding } from "../holding.ts";
import type { Call, Forward, Pair } from "../translator.ts";
import { Answers } from "./answers.ts";
import { asItIs } from "./as-it-is.ts";
import { UPDATE_FUNCTION, UPDATES, type Update, updateStatus, updatesIn } from "./entries.ts";
import { limitsOf } from "./limits.ts";
import { besides } from "./parts.ts";
import { plainParts } from "./plain.ts";
import { divideUpdate, storeAll } from "./updates.ts";

/**
 * Decodes what is compressed. What is no larger for it than a batch goes in a batch, within the server's limits; the rest by ByteStream, as it is decoded. Data that
 * cannot be decoded to as much as their digest says are refused, each by itself: no other blob of the batch is any the worse.
 */
export async function* decodeUpdate(
  requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  for await (const request of requests) {
    const updates = updatesIn(request);
    if (updates.every(({ compressor }) => compressor === 0)) yield* asItIs(forward, request);
    else yield await decoded(request, updates, call, pair, forward);
  }
}

async function decoded(
  request: Buffer,
  updates: readonly Update[],
  call: Call,
  pair: Pair,
  forward: Forward,
): Promise<readonly Buffer[]> {
  const held = new Holding(call.budget);
  const answers = new Answers();
  const { part } = limitsOf(pair.server.facts);
  try {
    const { entries, streamed } = await sorted(updates, part, call.maxMessageBytes, answers, held);
    if (entries.length > 0) {
      const plain = withEntries(request, entries);
      held.take(plain.length);
      await sendAll(plain, call, pair, answers, forward);
    }
    await storeAll(streamed, call, numberIn(request, UPDATE_FUNCTION), answers);
    return answers.inOrder(updates.map(({ digest }) => digest));
  } finally {
    held.close();
  }
}

/** Entries that are not compressed, or not any more; and blobs that are better not held. */
interface Sorted {
  readonly entries: readonly Buffer[];
  readonly streamed: readonly BlobParts[];
}

/** Decodes in memory blobs up to `most` bytes, `mostInAll` together, as long as there is room. */
async function sorted(
  updates: readonly Update[],
  most: number,
  mostInAll: number,
  answers: Answers,
  held: Holding,
): Promise<Sorted> {
  const entries: Buffer[] = [];
  const streamed: BlobParts[] = [];
  let total = 0;
  for (const update of updates) {
    const { compressor, digest, bytes } = update;
    if (compressor === 0) entries.push(bytes);
    else if (
      digest.sizeBytes > most ||
      total + digest.sizeBytes > mostInAll ||
      !held.tryTake(digest.sizeBytes)
    )
      streamed.push({ digest, parts: plainParts(update) });
    else {
      total += digest.sizeBytes;
      const plain = await contentOf(update);
      if (plain instanceof UpstreamError) answers.tell(digest, updateStatus(digest, plain), plain);
      else entries.push(withData(update, plain));
    }
  }
  return { entries, streamed };
}

/** What the data of an entry are, or what is wrong with them. */
async function contentOf(update: Update): Promise<Buffer | UpstreamError> {
  try {
    const bytes = await gathered(plainParts(update));
    return bytes.length === update.digest.sizeBytes ? bytes : wrongLength(update.digest, "fewer");
  } catch (error) {
    if (error instanceof UpstreamError) return error;
    throw error;
  }
}

/** An entry with other data, not compressed. */
function withData({ bytes }: Update, data: Buffer): Buffer {
  const slices = rewriteMessage(
    new Walker(bytes),
    ({ number }) => (number === 2 || number === 3 ? "drop" : "keep"),
    (out) => {
      if (data.length > 0) out.bytes(2, data);
    },
  );
  return joined(slices, bytes);
}

/** A request with other entries. */
function withEntries(request: Buffer, entries: readonly Buffer[]): Buffer {
  const out = new FieldWriter();
  const field = new Walker(besides(request, UPDATES));
  while (field.next()) out.copy(field);
  for (const entry of entries) out.bytes(UPDATES, entry);
  return out.toBuffer();
}

/** Sends a batch, in as many calls as it takes; a failure of all is told of each of its blobs. */
async function sendAll(
  batch: Buffer,
  call: Call,
  pair: Pair,
  answers: Answers,
  forward: Forward,
): Promise<void> {
  try {
    for await (const answer of divideUpdate(once(batch), call, pair, forward))
      answers.add(joined(answer, batch));
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const digests = updatesIn(batch).map(({ digest }) => digest);
    answers.fail(digests, (digest) => updateStatus(digest, error), error);
  }
}

async function* once(message: Buffer): AsyncGenerator<Buffer> {
  yield message;
}
