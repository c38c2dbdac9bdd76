/** Lists of chunks in streams of messages (P01). */
import { inBatches } from "../../upstream/batches.ts";
import { type Digest, encodeDigest } from "../../wire/digest.ts";
import { FieldWriter } from "../../wire/field-writer.ts";

/** Field numbers of SplitChunksResponse. */
const ResponseField = { chunks: 1, finish: 2, chunkingFunction: 3 } as const;

/** Bytes of digests in one message. */
const PART_BYTES = 1 << 20;

/** The `SplitChunksResponse`s of a list, one at least; the last one says that it is. 0 is no function in particular. */
export async function* splitResponses(
  chunks: readonly Digest[],
  chunkingFunction: number,
): AsyncGenerator<readonly Buffer[], void, void> {
  const encoded = chunks.map(encodeDigest);
  let left = encoded.length;
  for (const part of encoded.length === 0
    ? [[]]
    : inBatches(encoded, PART_BYTES, ({ length }) => length + 2)) {
    left -= part.length;
    const out = new FieldWriter();
    for (const digest of part) out.bytes(ResponseField.chunks, digest);
    if (left === 0) out.varint(ResponseField.finish, true);
    if (chunkingFunction !== 0) out.varint(ResponseField.chunkingFunction, chunkingFunction);
    yield out.finish();
  }
}
