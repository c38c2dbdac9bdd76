/** SplitBlob and SpliceBlob, and their streamed forms (P01), served by the bridge (D22). */
import { type Digest, encodeDigest } from "../../wire/digest.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { Holding } from "../holding.ts";
import type { Call, MethodHooks, Pair } from "../translator.ts";
import { MOST_LIST_BYTES, SpliceResponseField, SplitResponseField } from "./chunk-list.ts";
import { ListMemory } from "./list-memory.ts";
import { MOST_STREAMED_BYTES, spliceRequest, splitRequest, streamedSplice } from "./requests.ts";
import { splice } from "./splice.ts";
import { split } from "./split.ts";
import { splitResponses } from "./streamed-list.ts";

type Answer = NonNullable<MethodHooks["answer"]>;
type Slices = readonly Buffer[];
/** Makes the error of a list that is too long. */
type TooLong = (pair: Pair) => Error;

/** ChunkingFunction.Value FAST_CDC_2020. */
const FAST_CDC_2020 = 1;

/** What this thread has cut. */
const memory = new ListMemory();

/** SplitBlob: by FastCDC 2020, whatever function the client prefers, as the API allows. */
export function answerSplit(tooLong: TooLong): Answer {
  return async (first, _, call, pair) => {
    const chunks = await chunksOf(first, call, MOST_LIST_BYTES, () => tooLong(pair));
    const out = new FieldWriter();
    for (const chunk of chunks) out.bytes(SplitResponseField.chunks, encodeDigest(chunk));
    out.varint(SplitResponseField.chunkingFunction, FAST_CDC_2020);
    return only(out.finish());
  };
}

/** SpliceBlob. */
export function answerSplice(tooLong: TooLong): Answer {
  return async (first, _, call, pair) => {
    const { what, port } = await spliceRequest(first, call, () => tooLong(pair));
    return only(spliced(await splice(what, { port, budget: call.budget })));
  };
}

/** SplitChunks: the same list in as many messages as it takes. */
export function answerSplitChunks(tooLong: TooLong): Answer {
  return async (first, _, call, pair) => {
    const chunks = await chunksOf(first, call, MOST_STREAMED_BYTES, () => tooLong(pair));
    return splitResponses(chunks, FAST_CDC_2020);
  };
}

/** SpliceChunks: the list comes in several messages. */
export function answerSpliceChunks(tooLong: TooLong): Answer {
  return async (first, requests, call, pair) => {
    const holding = new Holding(call.budget);
    try {
      const { what, port } = await streamedSplice(first, requests, call, holding, () => tooLong(pair));
      return only(spliced(await splice(what, { port, budget: call.budget })));
    } finally {
      holding.close();
    }
  };
}

function chunksOf(
  request: Buffer,
  call: Call,
  mostListBytes: number,
  tooLong: () => Error,
): Promise<readonly Digest[]> {
  const { what, port } = splitRequest(request, call);
  const scope = `${call.upstream}\0${call.instance}`;
  return split(what, { port, budget: call.budget, memory, scope, mostListBytes, tooLong });
}

/** A `SpliceBlobResponse`. */
function spliced(blob: Digest): Slices {
  const out = new FieldWriter();
  out.bytes(SpliceResponseField.blob, encodeDigest(blob));
  return out.finish();
}

async function* only(message: Slices): AsyncGenerator<Slices, void, void> {
  yield message;
}
