import { announceChunking, saysChunking } from "../announce/chunking.ts";
import { assumed, pass } from "../declare.ts";
import { SPLICE_BLOB, SPLICE_CHUNKS, SPLIT_BLOB, SPLIT_CHUNKS } from "../methods.ts";
import { of } from "../names.ts";
import { refusalOf } from "../refusal.ts";
import type { MethodHooks, Pair, Reject, Step, Steps, Translate, Translator } from "../translator.ts";
import { answerSplice, answerSpliceChunks, answerSplit, answerSplitChunks } from "./answers.ts";
import { FEATURE, FORMS, supportOf } from "./forms.ts";
import { leavesOutBlob, withBlob } from "./named-blob.ts";
import { spliceCodes, splitCodes } from "./other-codes.ts";

const SPLIT = "build.bazel.remote.execution.v2.ContentAddressableStorage.SplitBlob";

const NOT_CALLED = pass("a client that stores and reads blobs whole does not call the methods");
const NAMED = pass("a request that says which blob it makes is right for every server");
const STATED = pass("what is missing ends in the codes that the client expects");

/** The methods the bridge serves in place of SplitBlob, and of SpliceBlob, each with its streamed form (P01). */
const SPLITTING: Readonly<Record<string, MethodHooks>> = {
  [SPLIT_BLOB]: { answer: answerSplit(tooLong) },
  [SPLIT_CHUNKS]: { answer: answerSplitChunks(tooLong) },
};
const SPLICING: Readonly<Record<string, MethodHooks>> = {
  [SPLICE_BLOB]: { answer: answerSplice(tooLong) },
  [SPLICE_CHUNKS]: { answer: answerSpliceChunks(tooLong) },
};

const SERVED = {
  whole: served({ ...SPLITTING, ...SPLICING }, [SPLIT_BLOB, SPLICE_BLOB]),
  splits: served(SPLICING, [SPLICE_BLOB]),
  splices: served(SPLITTING, [SPLIT_BLOB]),
};

const NAMING: Translate = {
  kind: "translate",
  methods: {
    [SPLICE_BLOB]: {
      when: leavesOutBlob,
      request: (request, call, pair) => withBlob(request, call, () => tooLong(pair)),
    },
  },
};

const CODES: Translate = {
  kind: "translate",
  methods: { [SPLIT_BLOB]: { exchange: splitCodes }, [SPLICE_BLOB]: { exchange: spliceCodes } },
};

/**
 * SplitBlob and SpliceBlob (D22). Where they are missing they stay so, unless the operator wants them (`chunking: require`): then the bridge cuts blobs by FastCDC
 * 2020 and stores the chunks next to them, and makes blobs of chunks. That saves traffic between the client and the bridge, at the price of
 * traffic and room behind it. A server with one of the two keeps it, and the bridge serves the other.
 */
export const chunking: Translator = {
  feature: FEATURE,
  owns: [
    "behaviour:split-not-found",
    ...of("ContentAddressableStorage", "SplitBlob", "SpliceBlob"),
    ...of("SplitBlobRequest", "instance_name", "blob_digest", "chunking_function"),
    ...of("SplitBlobResponse", "chunk_digests", "chunking_function"),
    ...of("SpliceBlobRequest", "instance_name", "blob_digest", "chunk_digests", "chunking_function"),
    ...of("SpliceBlobResponse", "blob_digest"),
    ...of("ChunkingFunction.Value", "UNKNOWN", "FAST_CDC_2020", "REP_MAX_CDC"),
    ...of("CacheCapabilities", "split_blob_support", "splice_blob_support"),
    ...of("CacheCapabilities", "fast_cdc_2020_params", "rep_max_cdc_params"),
    ...of("FastCdc2020Params", "avg_chunk_size_bytes", "seed"),
    ...of("RepMaxCdcParams", "min_chunk_size_bytes", "horizon_size_bytes"),
  ],
  after: ["digest-function-field", "indirect-chunks"],
  clientAhead:
    "methods that the server lacks are refused, or served by the bridge where the policy says require; a blob that SpliceBlob does not name is named",
  serverAhead:
    "passes: blobs stored in chunks can be read whole; codes of its own for what is missing become those of the API",
  support: supportOf,
  assume: {
    client: assumed(["chunks", "splits", "splices", "whole"], ["chunks", "unnamed", "whole"]),
    server: assumed(["whole"], ["whole"]),
  },
  toServer: table({
    chunks: { ...SERVED, unnamed: NAMED, "other-codes": NAMED },
    unnamed: { ...SERVED, splices: NAMING, chunks: NAMING, "other-codes": NAMING },
  }),
  toClient: table(
    { "other-codes": { chunks: CODES, splits: CODES, splices: CODES, unnamed: CODES } },
    STATED,
  ),
  announce: announceChunking,
  announceIf: saysChunking,
};

/** Serves methods that the server lacks, which are refused unless the operator wants them. */
function served(methods: Readonly<Record<string, MethodHooks>>, lacking: readonly string[]): Translate {
  const names = lacking.map((path) => path.slice(path.lastIndexOf("/") + 1));
  const what = names.length > 1 ? names.join(" or ") : `The method ${names[0]}`;
  const optIn: Reject = {
    kind: "reject",
    code: "method-unsupported",
    has: "does not have it",
    fix: "turn chunking off in the client, or have the bridge serve it with the policy `chunking: require`",
    uses: [{ in: "call", methods: lacking, used: { what, element: SPLIT, text: null } }],
  };
  return { kind: "translate", methods, optIn };
}

/** A step for every two forms: those given, else `other`. */
function table(
  given: Readonly<Record<string, Readonly<Record<string, Step>>>>,
  other: Step = NOT_CALLED,
): Steps {
  const row = (from: string): [string, Record<string, Step>] => {
    const others = FORMS.filter((to) => to !== from);
    return [from, Object.fromEntries(others.map((to) => [to, given[from]?.[to] ?? other]))];
  };
  return Object.fromEntries(FORMS.map(row));
}

function tooLong(pair: Pair): Error {
  return refusalOf(
    { feature: FEATURE },
    {
      code: "request-unsupported",
      has: "leaves lists of chunks to the bridge, which serves shorter ones",
      fix: "store and read blobs of this size whole",
    },
    "chunks",
    { what: "A blob in more chunks than one call can name", element: SPLIT, text: "blob_digest" },
    pair,
  );
}
