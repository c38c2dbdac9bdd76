import type { Forward } from "../translator.ts";

/** Forwards a request as it came, and gives the upstream's answers as they come. */
export async function* asItIs(forward: Forward, request: Buffer): AsyncGenerator<readonly Buffer[]> {
  for await (const answer of forward([request])) yield [answer];
}
