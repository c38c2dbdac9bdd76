/** BatchUpdateBlobs by other calls than one (D18, D20). */
import { inParallel } from "../../upstream/in-parallel.ts";
import type { BlobParts } from "../../upstream/port.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { numberIn } from "../../wire/fields.ts";
import { Holding } from "../holding.ts";
import type { Call, Forward, Pair } from "../translator.ts";
import { Answers } from "./answers.ts";
import { asItIs } from "./as-it-is.ts";
import { readUpdate, UPDATE_FUNCTION, UPDATES, type Update, updateStatus, updatesIn } from "./entries.ts";
import { isWithin, limitsOf } from "./limits.ts";
import { besides, partsOf } from "./parts.ts";
import { plainParts } from "./plain.ts";

/** Calls for parts of a batch at a time. */
export const BATCHES_AT_A_TIME = 4;

/**
 * Stores in several calls what is too much for one, blobs that are too large for any by ByteStream, and tells of each in the order of the request. A batch within
 * the limits goes on as it came.
 */
export async function* divideUpdate(
  requests: AsyncIterable<Buffer>,
  call: Call,
  { server }: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  const limits = limitsOf(server.facts);
  for await (const request of requests) {
    const updates = updatesIn(request);
    const blobBytes = updates.reduce((sum, { data }) => sum + data.length, 0);
    if (isWithin(limits, blobBytes, request.length)) yield* asItIs(forward, request);
    else yield await divided(request, updates, call, limits.part, forward);
  }
}

async function divided(
  request: Buffer,
  updates: readonly Update[],
  call: Call,
  most: number,
  forward: Forward,
): Promise<readonly Buffer[]> {
  const room = most - besides(request, UPDATES).length;
  const fits = ({ fieldBytes }: Update): boolean => fieldBytes <= room;
  const parts = partsOf(request, UPDATES, most, (entry) => {
    const update = readUpdate(entry);
    return fits(update) ? update.fieldBytes : null;
  });
  const answers = new Answers();
  const work = (part: Buffer): Promise<void> => sendPart(part, call, answers, forward);
  for await (const _ of inParallel(parts, BATCHES_AT_A_TIME, work));
  const large = updates.filter((update) => !fits(update));
  await storeEach(large, call, numberIn(request, UPDATE_FUNCTION), answers);
  return answers.inOrder(updates.map(({ digest }) => digest));
}

/** Sends a part of a batch; a failure is told of each of its blobs. */
async function sendPart(part: Buffer, call: Call, answers: Answers, forward: Forward): Promise<void> {
  const held = new Holding(call.budget);
  try {
    held.take(part.length);
    for await (const answer of forward([part])) answers.add(answer);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const digests = updatesIn(part).map(({ digest }) => digest);
    answers.fail(digests, (digest) => updateStatus(digest, error), error);
  } finally {
    held.close();
  }
}

/** Stores each blob by ByteStream, as it is without compression. */
async function storeEach(
  updates: readonly Update[],
  call: Call,
  digestFunction: number,
  answers: Answers,
): Promise<void> {
  const blobs = updates.map((update): BlobParts => ({ digest: update.digest, parts: plainParts(update) }));
  await storeAll(blobs, call, digestFunction, answers);
}

/** Stores each blob by ByteStream, and tells of each. */
export async function storeAll(
  blobs: readonly BlobParts[],
  call: Call,
  digestFunction: number,
  answers: Answers,
): Promise<void> {
  if (blobs.length === 0) return;
  for await (const { digest, error } of call.portFor(digestFunction).storeEach(blobs))
    answers.tell(digest, updateStatus(digest, error), error);
}

/** Serves a BatchUpdateBlobs without the method: each blob by ByteStream. An empty batch has an empty answer: the method is there (D20). */
export async function* updateByStreams(request: Buffer, call: Call): AsyncGenerator<readonly Buffer[]> {
  const updates = updatesIn(request);
  const answers = new Answers();
  await storeEach(updates, call, numberIn(request, UPDATE_FUNCTION), answers);
  yield answers.inOrder(updates.map(({ digest }) => digest));
}
