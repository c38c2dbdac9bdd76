/** BatchReadBlobs by other calls than one (D18, D20). */
import { BridgeError } from "../../spec/bridge-error.ts";
import { inParallel } from "../../upstream/in-parallel.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, readDigest } from "../../wire/digest.ts";
import { numberIn } from "../../wire/fields.ts";
import type { Walker } from "../../wire/walker.ts";
import { Holding } from "../holding.ts";
import type { Call, Forward, Pair } from "../translator.ts";
import { Answers } from "./answers.ts";
import { asItIs } from "./as-it-is.ts";
import { DIGESTS, digestsIn, READ_FUNCTION, readBytes, readContent, readFailure } from "./entries.ts";
import { isWithin, limitsOf } from "./limits.ts";
import { partsOf } from "./parts.ts";
import { BATCHES_AT_A_TIME } from "./updates.ts";

/**
 * Reads in several calls what is too much for one, blobs that are too large for any by ByteStream, and answers in the order of the request. A request within the
 * limits goes on as it came.
 * @throws BridgeError INVALID_ARGUMENT, before anything is read, for more than one answer of the bridge's holds.
 */
export async function* divideRead(
  requests: AsyncIterable<Buffer>,
  call: Call,
  { server }: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  const limits = limitsOf(server.facts);
  for await (const request of requests) {
    const digests = digestsIn(request);
    const blobBytes = digests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (isWithin(limits, blobBytes, answerBytes(digests))) yield* asItIs(forward, request);
    else yield* divided(request, digests, call, limits.part, forward);
  }
}

/** Serves a BatchReadBlobs without the method: each blob by ByteStream. */
export async function* readByStreams(request: Buffer, call: Call): AsyncGenerator<readonly Buffer[]> {
  const digests = digestsIn(request);
  checkAnswer(digests, call);
  const held = new Holding(call.budget);
  const answers = new Answers();
  try {
    await readEach(digests, call, numberIn(request, READ_FUNCTION), answers, held);
    yield answers.inOrder(digests);
  } finally {
    held.close();
  }
}

/** Bytes of the answer, at most. */
export function answerBytes(digests: readonly Digest[]): number {
  return digests.reduce((sum, digest) => sum + readBytes(digest), 0);
}

async function* divided(
  request: Buffer,
  digests: readonly Digest[],
  call: Call,
  most: number,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  checkAnswer(digests, call);
  const parts = partsOf(request, DIGESTS, most, (entry) => {
    const bytes = readBytes(digestAt(entry));
    return bytes <= most ? bytes : null;
  });
  const held = new Holding(call.budget);
  const answers = new Answers();
  try {
    const work = (part: Buffer): Promise<void> => readPart(part, answers, held, forward);
    for await (const _ of inParallel(parts, BATCHES_AT_A_TIME, work));
    const large = digests.filter((digest) => readBytes(digest) > most);
    await readEach(large, call, numberIn(request, READ_FUNCTION), answers, held);
    yield answers.inOrder(digests);
  } finally {
    held.close();
  }
}

/** Reads a part of a batch; a failure is told of each of its blobs. */
async function readPart(part: Buffer, answers: Answers, held: Holding, forward: Forward): Promise<void> {
  try {
    for await (const answer of forward([part])) {
      held.take(answer.length);
      answers.add(answer);
    }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    answers.fail(digestsIn(part), (digest) => readFailure(digest, error), error);
  }
}

async function readEach(
  digests: readonly Digest[],
  call: Call,
  digestFunction: number,
  answers: Answers,
  held: Holding,
): Promise<void> {
  if (digests.length === 0) return;
  const port = call.portFor(digestFunction);
  const right = digests.filter((digest) => {
    const error = wrongness(() => port.functionOf(digest));
    if (error !== null) answers.tell(digest, readFailure(digest, error), error);
    return error === null;
  });
  for await (const read of port.readBlobs(right, call.maxMessageBytes)) {
    const { digest } = read;
    const failure = "error" in read ? read.error : wrongness(() => held.take(read.bytes.length));
    if (failure !== null) answers.tell(digest, readFailure(digest, failure), failure);
    else if ("bytes" in read) answers.tell(digest, readContent(digest, read.bytes));
  }
}

/** The UpstreamError that `work` throws; null if it throws none. */
function wrongness(work: () => unknown): UpstreamError | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof UpstreamError) return error;
    throw error;
  }
}

function digestAt(entry: Walker): Digest {
  return readDigest(entry.enter());
}

/** As a server says it of a batch beyond its limit. */
function checkAnswer(digests: readonly Digest[], { maxMessageBytes }: Call): void {
  const bytes = answerBytes(digests);
  if (bytes <= maxMessageBytes) return;
  throw new BridgeError({
    code: "request-unsupported",
    feature: "batch-limits",
    drift: "D18",
    used: `A BatchReadBlobs of ${digests.length} blobs with ${bytes} bytes in all`,
    since: null,
    has: `the bridge puts no more than ${maxMessageBytes} bytes into one answer`,
    fix: "read them in several calls, within max_batch_total_size_bytes, or by ByteStream",
    field: "digests",
  });
}
