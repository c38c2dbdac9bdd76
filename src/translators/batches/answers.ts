import type { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest, readDigest } from "../../wire/digest.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { Status } from "../../wire/status.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { RESPONSES } from "./entries.ts";
import { besides } from "./parts.ts";

/** A message in slices. */
type Slices = readonly Buffer[];

/** Codes of calls for one blob that say nothing of the blob: for another one they would be the same. */
const OF_THE_CALL: ReadonlySet<number> = new Set([
  Status.CANCELLED,
  Status.UNKNOWN,
  Status.DEADLINE_EXCEEDED,
  Status.PERMISSION_DENIED,
  Status.UNIMPLEMENTED,
  Status.INTERNAL,
  Status.UNAVAILABLE,
  Status.UNAUTHENTICATED,
]);

/** What became of the blobs of one BatchUpdateBlobs or BatchReadBlobs that took several calls, until there is one response to it. */
export class Answers {
  /** Entries of the response by digest, in the order in which they came. */
  private readonly entries = new Map<string, Slices[]>();
  private readonly others: Buffer[] = [];
  private failure: UpstreamError | null = null;
  private answered = false;

  /** Takes the upstream's own response for some of the blobs: its entries stay as they are. @throws WireError for broken bytes. */
  add(response: Buffer): void {
    this.answered = true;
    const field = new Walker(response);
    while (field.next()) {
      if (field.number !== RESPONSES || field.wireType !== WireType.LEN) continue;
      this.put(digestOf(field.enter()), [field.bytes()]);
    }
    this.others.push(besides(response, RESPONSES));
  }

  /** Takes the entry of a blob that a call of its own was for; the error is the one it failed with. */
  tell(digest: Digest, entry: Slices, error: UpstreamError | null = null): void {
    if (error !== null && OF_THE_CALL.has(error.code)) this.failure ??= error;
    else this.answered = true;
    this.put(digest, entry);
  }

  /** Takes the entries of blobs whose common call has failed. */
  fail(digests: readonly Digest[], entry: (digest: Digest) => Slices, error: UpstreamError): void {
    this.failure ??= error;
    for (const digest of digests) this.put(digest, entry(digest));
  }

  /**
   * The response, in the order of the request. A blob that was asked for twice and answered once has the same entry twice; one that the upstream left out is
   * left out.
   * @throws UpstreamError of the first call that failed, if nothing came of any.
   */
  inOrder(digests: Iterable<Digest>): Slices {
    if (this.failure !== null && !this.answered) throw this.failure;
    const out = new FieldWriter();
    for (const digest of digests) {
      const entries = this.entries.get(formatDigest(digest)) ?? [];
      const entry = entries.length > 1 ? entries.shift() : entries[0];
      if (entry !== undefined) out.message(RESPONSES, entry);
    }
    return [...this.others, ...out.finish()];
  }

  private put(digest: Digest, entry: Slices): void {
    const key = formatDigest(digest);
    const entries = this.entries.get(key);
    if (entries === undefined) this.entries.set(key, [entry]);
    else entries.push(entry);
  }
}

/** Field 1 of an entry of a response. */
function digestOf(entry: Walker): Digest {
  let digest: Digest = { hash: "", sizeBytes: 0 };
  while (entry.next())
    if (entry.number === 1 && entry.wireType === WireType.LEN) digest = readDigest(entry.enter());
  return digest;
}
