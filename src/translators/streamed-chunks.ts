import { onlyResponse } from "../upstream/exchange.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { numberIn } from "../wire/fields.ts";
import { Status } from "../wire/status.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { editCachePart } from "./announce/cache-part.ts";
import { chunksIn, MOST_LIST_BYTES, SpliceRequestField, SplitResponseField } from "./chunking/chunk-list.ts";
import { splitResponses } from "./chunking/streamed-list.ts";
import { assumed, pass } from "./declare.ts";
import { Holding } from "./holding.ts";
import { SPLICE_BLOB, SPLICE_CHUNKS, SPLIT_BLOB, SPLIT_CHUNKS } from "./methods.ts";
import { refusalOf } from "./refusal.ts";
import type { Announcement, Call, Edit, Feature, Forward, Pair, Translator } from "./translator.ts";

/** SpliceChunksRequest.finish_splice, which stands where SpliceBlobRequest has the indirect list. */
const FINISH = 6;
/** Field numbers of CacheCapabilities: SplitBlob, SpliceBlob, SplitChunks, SpliceChunks. */
const UNARY_BITS = [9, 10];
const STREAMED_BITS = [13, 14];

const FEATURE: Feature = {
  id: "streamed-chunks",
  title: "Chunk lists in streams of messages",
  since: "ahead",
  drift: ["P01"],
  why: "A server that lacks the methods ends them in UNIMPLEMENTED, though it could do what they are for.",
  forms: { unary: "SplitBlob and SpliceBlob", streamed: "SplitChunks and SpliceChunks as well" },
};

/**
 * SplitChunks and SpliceChunks (P01), whose lists come in several messages. The upstream is asked first. One that does not know them gets the whole list in one
 * SplitBlob or SpliceBlob; a list that does not fit there is refused. They are announced only where the operator wants it and the unary ones are.
 */
export const streamedChunks: Translator = {
  feature: FEATURE,
  owns: [],
  after: ["chunking"],
  clientAhead: "served by SplitBlob and SpliceBlob where the server lacks them",
  serverAhead: "passes: a server that has them has SplitBlob and SpliceBlob, too",
  support: ({ level }) =>
    level === null ? null : { reads: ["unary"], writes: ["unary"], evidence: level.evidence },
  assume: { client: assumed(["unary"], ["unary", "streamed"]), server: assumed(["unary"], ["unary"]) },
  toServer: {
    unary: { streamed: pass("a server with the streamed methods has the unary ones as well") },
    streamed: {
      unary: {
        kind: "translate",
        does: "the unary methods are called, and their lists streamed",
        methods: { [SPLIT_CHUNKS]: { exchange: splitChunks }, [SPLICE_CHUNKS]: { exchange: spliceChunks } },
      },
    },
  },
  toClient: pass("answers come in the form of the method that the client called"),
  announce: announceStreamed,
};

/** SplitChunks by SplitBlob, whose request is the same. */
async function* splitChunks(
  requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[], void, void> {
  const [request] = await all(requests);
  if (request === undefined) return;
  const native = await begun(forward([request]));
  if (native !== null) {
    for await (const response of native) yield [response];
    return;
  }
  const list = await unary(SPLIT_BLOB, request, call, pair);
  const chunks = chunksIn(list, SplitResponseField.chunks);
  yield* splitResponses(chunks, numberIn(list, SplitResponseField.chunkingFunction));
}

/** SpliceChunks by SpliceBlob. A list that is longer than that takes goes to the upstream as it comes, and to it alone. */
async function* spliceChunks(
  requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[], void, void> {
  const held: Buffer[] = [];
  const holding = new Holding(call.budget);
  let bytes = 0;
  try {
    const rest = requests[Symbol.asyncIterator]();
    let next = await rest.next();
    for (; next.done !== true && bytes <= MOST_LIST_BYTES; next = await rest.next()) {
      holding.take(next.value.length);
      bytes += next.value.length;
      held.push(next.value);
    }
    const isWhole = next.done === true;
    const native = await begun(forward(isWhole ? held : chained(held, next.value, rest)));
    if (native !== null) {
      for await (const response of native) yield [response];
    } else if (isWhole && held[0] !== undefined) {
      yield [await unary(SPLICE_BLOB, joinedRequest(held), call, pair)];
    } else {
      throw refusal(pair, SPLICE_CHUNKS, "has SpliceBlob at most, where a list of this length does not fit");
    }
  } finally {
    holding.close();
  }
}

async function* chained(
  held: readonly Buffer[],
  next: Buffer,
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, void, void> {
  yield* held;
  yield next;
  for (let more = await rest.next(); more.done !== true; more = await rest.next()) yield more.value;
}

/** The `SpliceBlobRequest`: the first message says which blob, all of them which chunks. */
function joinedRequest([first, ...others]: readonly Buffer[]): Buffer {
  const out = new FieldWriter();
  const field = new Walker(first!);
  while (field.next()) if (field.number !== FINISH) out.copy(field);
  for (const other of others) {
    const chunk = new Walker(other);
    while (chunk.next()) if (chunk.number === SpliceRequestField.chunks) out.copy(chunk);
  }
  return out.toBuffer();
}

/** The answer of an upstream that has the method; null of one that has not. */
async function begun(responses: AsyncGenerator<Buffer>): Promise<AsyncIterable<Buffer> | null> {
  let first: IteratorResult<Buffer>;
  try {
    first = await responses.next();
  } catch (error) {
    if (isUnimplemented(error)) return null;
    throw error;
  }
  return (async function* () {
    try {
      if (first.done !== true) yield first.value;
      yield* responses;
    } finally {
      await responses.return(undefined);
    }
  })();
}

/** The answer of a unary method. @throws BridgeError where the upstream lacks it as well, and its own error for others. */
async function unary(path: string, request: Buffer, call: Call, pair: Pair): Promise<Buffer> {
  try {
    return await onlyResponse(path, call.port.call(path, request));
  } catch (error) {
    if (!isUnimplemented(error)) throw error;
    const has = "has neither it nor the method of 2.12 for the same";
    throw refusal(pair, path === SPLIT_BLOB ? SPLIT_CHUNKS : SPLICE_CHUNKS, has);
  }
}

function refusal(pair: Pair, path: string, has: string): Error {
  const what = `The method ${path.slice(path.lastIndexOf("/") + 1)}`;
  const fix =
    "turn chunking off in the client, or have the bridge serve it with the policy `chunking: require`";
  const used = { what, element: null, text: null };
  return refusalOf({ feature: FEATURE }, { code: "method-unsupported", has, fix }, "streamed", used, pair);
}

function isUnimplemented(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === Status.UNIMPLEMENTED;
}

/** Adds the bits of the streamed methods to those of the unary ones, where the operator wants it. */
function announceStreamed({ bytes, client, required }: Announcement): Edit {
  if (!required || !client.writes.includes("streamed")) return null;
  const set = new Set<number>();
  return editCachePart(
    bytes,
    (field) => {
      if (field.wireType === WireType.VARINT && field.bool()) set.add(field.number);
      return "keep";
    },
    (out) => {
      for (const [index, bit] of STREAMED_BITS.entries())
        if (set.has(UNARY_BITS[index]!) && !set.has(bit)) out.varint(bit, true);
    },
  );
}

async function all(messages: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const list: Buffer[] = [];
  for await (const message of messages) list.push(message);
  return list;
}
