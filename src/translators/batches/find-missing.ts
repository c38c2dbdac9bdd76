/** FindMissingBlobs about more digests than a message of the server's holds (D18). */
import { Holding } from "../holding.ts";
import type { Call, Forward, Pair } from "../translator.ts";
import { asItIs } from "./as-it-is.ts";
import { limitsOf } from "./limits.ts";
import { partsOf } from "./parts.ts";

const DIGESTS = 2;

/**
 * Asks in as many calls as it takes, one after the other, and gives one answer, in the order of the request; a request that fits goes on as it came. The first call
 * that fails ends it, with its status.
 */
export async function* divideFindMissing(
  requests: AsyncIterable<Buffer>,
  call: Call,
  { server }: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  const { message: most } = limitsOf(server.facts);
  for await (const request of requests) {
    if (request.length <= most) yield* asItIs(forward, request);
    else yield await divided(request, call, Math.floor(most * PART), forward);
  }
}

/** Of the largest message; a response may be as long as its request. */
const PART = 3 / 4;

async function divided(request: Buffer, call: Call, most: number, forward: Forward): Promise<Buffer[]> {
  const held = new Holding(call.budget);
  const answers: Buffer[] = [];
  try {
    for (const part of partsOf(request, DIGESTS, most, ({ fieldStart, fieldEnd }) => fieldEnd - fieldStart)) {
      held.take(part.length);
      for await (const answer of forward([part])) {
        held.take(answer.length);
        answers.push(answer);
      }
      held.give(part.length);
    }
    // Lists that follow each other are one list.
    return answers;
  } finally {
    held.close();
  }
}
