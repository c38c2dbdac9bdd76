import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { readDigest } from "../wire/digest.ts";
import { DIGEST_FUNCTIONS, inferDigestFunction } from "../wire/digest-function.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, pass } from "./declare.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  EXECUTE,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_TREE,
  SPLICE_BLOB,
  SPLIT_BLOB,
  UPDATE_ACTION_RESULT,
} from "./methods.ts";
import type { MethodHooks, Translator } from "./translator.ts";

const FIELD = "build.bazel.remote.execution.v2.FindMissingBlobsRequest.digest_function";

/** Numbers of `digest_function`, and the way to a first digest, in the requests that have both. */
const REQUESTS: Readonly<Record<string, { readonly field: number; readonly digest: readonly number[] }>> = {
  [EXECUTE]: { field: 9, digest: [6] },
  [GET_ACTION_RESULT]: { field: 6, digest: [2] },
  [UPDATE_ACTION_RESULT]: { field: 5, digest: [2] },
  [FIND_MISSING_BLOBS]: { field: 3, digest: [2] },
  [BATCH_UPDATE_BLOBS]: { field: 5, digest: [2, 1] },
  [BATCH_READ_BLOBS]: { field: 4, digest: [2] },
  [GET_TREE]: { field: 5, digest: [2] },
  [SPLIT_BLOB]: { field: 3, digest: [2] },
  [SPLICE_BLOB]: { field: 4, digest: [2] },
};

/**
 * The digest function stated in requests (D08). Before 2.5 no request had the field; since then it may be left out for the first seven functions, and
 * the server guesses by the length of the hash. One that offers several functions of one length should not have to.
 */
export const digestFunctionField: Translator = {
  feature: {
    id: "digest-function-field",
    title: "Requests say which digest function their hashes are of",
    since: "2.5",
    drift: ["D08"],
    why: "A server that offers several functions with hashes of one length has to guess, and may look in the wrong store.",
    forms: {
      unset: "the field is absent: the server goes by the length of the hash",
      set: "the field names the function",
    },
  },
  owns: [
    "behaviour:digest-function-by-length",
    "build.bazel.remote.execution.v2.ExecuteRequest.digest_function",
    "build.bazel.remote.execution.v2.GetActionResultRequest.digest_function",
    "build.bazel.remote.execution.v2.UpdateActionResultRequest.digest_function",
    FIELD,
    "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest.digest_function",
    "build.bazel.remote.execution.v2.BatchReadBlobsRequest.digest_function",
    "build.bazel.remote.execution.v2.GetTreeRequest.digest_function",
    "build.bazel.remote.execution.v2.SplitBlobRequest.digest_function",
    "build.bazel.remote.execution.v2.SpliceBlobRequest.digest_function",
  ],
  after: ["execution-metadata"],
  clientAhead: "passes: an older server skips the field",
  serverAhead: "filled in from the length of the hash, where the server would have to guess",
  support,
  assume: {
    client: assumed(["unset", "set"], ["unset", "set"]),
    server: assumed(["unset", "set"], ["unset"]),
  },
  toServer: {
    set: {
      unset: pass(
        "an older server skips the field and assumes its own function; that it is the same one is for digest-functions to see",
      ),
    },
    unset: { set: { kind: "translate", methods: mapRequests() } },
  },
  toClient: pass("no response of these methods has the field"),
};

/** By level; and a server that offers two functions of one length does not read what leaves it to the length. */
function support({ role, level, digestFunctions }: PeerFacts): Support | null {
  if (role === "server" && sharesLength(digestFunctions)) {
    const note = "offers several functions with hashes of one length";
    return { reads: ["set"], writes: ["unset"], evidence: { source: "advertised", note } };
  }
  if (level === null) return null;
  if (!knows(level.value, FIELD)) return { reads: ["unset"], writes: ["unset"], evidence: level.evidence };
  return { reads: ["set", "unset"], writes: ["set", "unset"], evidence: level.evidence };
}

function sharesLength(numbers: readonly number[]): boolean {
  const lengths = DIGEST_FUNCTIONS.filter(({ number }) => numbers.includes(number)).map(
    ({ hexDigits }) => hexDigits,
  );
  return new Set(lengths).size < lengths.length;
}

function mapRequests(): Record<string, MethodHooks> {
  return Object.fromEntries(
    Object.entries(REQUESTS).map(([path, { field, digest }]): [string, MethodHooks] => [
      path,
      { request: (message, _, { server }) => fillIn(message, field, digest, server.digestFunctions) },
    ]),
  );
}

/** Adds the function of the first digest; nothing where the field is set, no digest is there, or none of `offered` has that length. */
function fillIn(message: Buffer, number: number, digest: readonly number[], offered: readonly number[]) {
  const field = new Walker(message);
  while (field.next()) {
    if (field.number === number && field.wireType === WireType.VARINT && field.int32() !== 0) return null;
  }
  const hash = firstHash(new Walker(message), digest);
  const inferred = hash === null ? null : inferDigestFunction(hash.length, offered);
  if (inferred === null) return null;
  return rewriteMessage(
    new Walker(message),
    // An explicit 0 goes, so that the field is there once.
    ({ number: current, wireType }) => (current === number && wireType === WireType.VARINT ? "drop" : "keep"),
    (out) => out.varint(number, inferred.number),
  );
}

function firstHash(message: Walker, path: readonly number[]): string | null {
  const [number, ...rest] = path;
  while (message.next()) {
    if (message.number !== number || message.wireType !== WireType.LEN) continue;
    const hash = rest.length > 0 ? firstHash(message.enter(), rest) : readDigest(message.enter()).hash;
    if (hash !== null && hash !== "") return hash;
  }
  return null;
}
