import { type Digest, encodeDigest, formatDigest, readDigest } from "../wire/digest.ts";
import { Walker } from "../wire/walker.ts";
import { inBatches, messageLimit } from "./batches.ts";
import { readAnswer } from "./exchange.ts";
import { FIND_MISSING } from "./methods.ts";
import type { Session } from "./session.ts";

/** Bytes a digest takes in a request besides its hash, at most. */
const AROUND_HASH = 16;

/** As `Upstream.findMissing`. A response may be as long as its request, so both fit a message. */
export async function findMissing(session: Session, digests: readonly Digest[]): Promise<Digest[]> {
  const missing = new Set<string>();
  for (const [digestFunction, items] of session.byFunction(digests.map((digest) => ({ digest })))) {
    const bytes = digestFunction.hexDigits + AROUND_HASH;
    for (const batch of inBatches(items, messageLimit(session.dialect), () => bytes)) {
      const request = session.request(3, digestFunction, (out) => {
        for (const { digest } of batch) out.bytes(2, encodeDigest(digest));
      });
      const response = await session.answer(FIND_MISSING, request);
      for (const digest of readAnswer(FIND_MISSING, () => readMissing(response)))
        missing.add(formatDigest(digest));
    }
  }
  return missing.size === 0 ? [] : digests.filter((digest) => missing.has(formatDigest(digest)));
}

function readMissing(response: Buffer): Digest[] {
  const missing: Digest[] = [];
  const field = new Walker(response);
  while (field.next()) if (field.number === 2) missing.push(readDigest(field.enter()));
  return missing;
}
