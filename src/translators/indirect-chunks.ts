import { type Digest, encodeDigest } from "../wire/digest.ts";
import { digestIn, numberIn } from "../wire/fields.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import {
  chunksIn,
  SpliceRequestField,
  SplitRequestField,
  SplitResponseField,
  wholeList,
} from "./chunking/chunk-list.ts";
import { indirectIn } from "./chunking/requests.ts";
import { assumed, pass } from "./declare.ts";
import { SPLICE_BLOB, SPLIT_BLOB } from "./methods.ts";
import { refusalOf } from "./refusal.ts";
import type { Call, Edit, Feature, FirstMessage, Pair, Translator } from "./translator.ts";

const FEATURE: Feature = {
  id: "indirect-chunks",
  title: "Chunk lists in blobs of their own",
  since: "ahead",
  drift: ["P02"],
  why: "Who does not know the indirection takes the first chunks for the whole blob.",
  forms: { direct: "the list is in the message", indirect: "the list, or the rest of it, is in a blob" },
};

/**
 * Lists of chunks that are in a blob, wholly or where the message ends (P02). The bridge reads the blob and puts the whole list into the message for who does
 * not know the indirection; a list that is too long for one message is refused, as a part of it would be taken for the whole.
 */
export const indirectChunks: Translator = {
  feature: FEATURE,
  owns: [],
  after: ["digest-function-field"],
  clientAhead: "the list of SpliceBlob is read and put into the message, and refused where it does not fit",
  serverAhead:
    "the list that SplitBlob answers with is read and put into the message, and refused where it does not fit",
  support: ({ level }) =>
    level === null ? null : { reads: ["direct"], writes: ["direct"], evidence: level.evidence },
  assume: { client: assumed(["direct"], ["direct", "indirect"]), server: assumed(["direct"], ["direct"]) },
  toServer: {
    direct: { indirect: pass("a list in the message stays legal where the other form is known") },
    indirect: {
      direct: {
        kind: "translate",
        does: "the list is read and put into the message",
        methods: { [SPLICE_BLOB]: { when: mayBeIndirect, request: inlineGiven } },
      },
    },
  },
  toClient: {
    direct: { indirect: pass("a list in the message stays legal where the other form is known") },
    indirect: {
      direct: {
        kind: "translate",
        does: "the list is read and put into the message",
        methods: { [SPLIT_BLOB]: { request: noteBlob, response: inlineAnswered } },
      },
    },
  },
};

function mayBeIndirect({ bytes, whole }: FirstMessage): boolean {
  try {
    // Behind the list: it does not show in a part of a long one.
    return !whole || indirectIn(bytes) !== null;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

/** A `SpliceBlobRequest` with the whole list. */
async function inlineGiven(request: Buffer, call: Call, pair: Pair): Promise<Edit> {
  const indirect = indirectIn(request);
  if (indirect === null) return null;
  const blobBytes = digestIn(request, SpliceRequestField.blob)?.sizeBytes ?? null;
  const direct = chunksIn(request, SpliceRequestField.chunks);
  const port = call.portFor(numberIn(request, SpliceRequestField.digestFunction));
  const tooLong = () => refusal(pair, "SpliceBlobRequest.indirect_chunk_list", "indirect_chunk_list");
  const chunks = await wholeList({ direct, indirect, blobBytes }, port, tooLong);
  return withList(request, chunks, SpliceRequestField.chunks, SpliceRequestField.indirect);
}

/** What the response needs of a `SplitBlobRequest`. */
interface Noted {
  readonly blobBytes: number | null;
  readonly digestFunction: number;
}

function noteBlob(request: Buffer, { scratch }: Call): null {
  const noted: Noted = {
    blobBytes: digestIn(request, SplitRequestField.blob)?.sizeBytes ?? null,
    digestFunction: numberIn(request, SplitRequestField.digestFunction),
  };
  scratch.set(FEATURE.id, noted);
  return null;
}

/** A `SplitBlobResponse` with the whole list. */
async function inlineAnswered(response: Buffer, call: Call, pair: Pair): Promise<Edit> {
  const indirect = digestIn(response, SplitResponseField.indirect);
  if (indirect === null || indirect.hash === "") return null;
  const { blobBytes = null, digestFunction = 0 } = (call.scratch.get(FEATURE.id) ?? {}) as Partial<Noted>;
  const direct = chunksIn(response, SplitResponseField.chunks);
  const tooLong = () => refusal(pair, "SplitBlobResponse.indirect_chunk_list", null);
  const chunks = await wholeList({ direct, indirect, blobBytes }, call.portFor(digestFunction), tooLong);
  return withList(response, chunks, SplitResponseField.chunks, SplitResponseField.indirect);
}

function withList(message: Buffer, chunks: readonly Digest[], list: number, indirect: number): Edit {
  return rewriteMessage(
    new Walker(message),
    ({ number }) => (number === list || number === indirect ? "drop" : "keep"),
    (out) => {
      for (const chunk of chunks) out.bytes(list, encodeDigest(chunk));
    },
  );
}

function refusal(pair: Pair, what: string, text: string | null): Error {
  const has = "exchanges lists of chunks with this client in the message only, where this one does not fit";
  const fix = "store and read blobs of this size whole";
  const used = { what, element: null, text };
  return refusalOf({ feature: FEATURE }, { code: "request-unsupported", has, fix }, "indirect", used, pair);
}
