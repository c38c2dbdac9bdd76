import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { readDigest } from "../wire/digest.ts";
import { DIGEST_FUNCTIONS } from "../wire/digest-function.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, pass } from "./declare.ts";
import { DIGEST_REQUESTS, type DigestRequest } from "./digest-requests.ts";
import type { Edit, MethodHooks, Pair, Translate, Translator } from "./translator.ts";
import { lackingFunction, meantFunction, unsaidFunctions } from "./unsaid-functions.ts";

const FIELD = "build.bazel.remote.execution.v2.FindMissingBlobsRequest.digest_function";

const SKIPPED = pass(
  "an older server skips the field and assumes its own function; that it is the same one is for digest-functions to see",
);
const FILLED: Translate = { kind: "translate", methods: mapRequests() };

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
      unsaid: "the field is absent, though the function is one that has to be named",
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
  serverAhead:
    "filled in where the server would have to guess: from the length of the hash, and the functions that both sides have",
  support,
  assume: {
    client: assumed(["unset", "set"], ["unset", "set"]),
    server: assumed(["unset", "set"], ["unset"]),
  },
  toServer: {
    set: { unset: SKIPPED, unsaid: SKIPPED },
    unset: { set: FILLED, unsaid: FILLED },
    unsaid: { set: FILLED, unset: FILLED },
  },
  toClient: pass("no response of these methods has the field"),
};

/** By level; and a server that offers functions that have to be named, or two of one length, does not read what leaves it to the length. */
function support(facts: PeerFacts): Support | null {
  const { role, level, digestFunctions } = facts;
  if (role === "server" && wantsNames(digestFunctions)) {
    const note = "offers functions that the length of a hash does not tell";
    return { reads: ["set"], writes: ["unset"], evidence: { source: "advertised", note } };
  }
  if (level === null) return null;
  if (unsaidFunctions(facts).length > 0) {
    const forms = ["unsaid", "unset"];
    return { reads: forms, writes: forms, evidence: level.evidence };
  }
  if (!knows(level.value, FIELD)) return { reads: ["unset"], writes: ["unset"], evidence: level.evidence };
  return { reads: ["set", "unset"], writes: ["set", "unset"], evidence: level.evidence };
}

function wantsNames(numbers: readonly number[]): boolean {
  const offered = DIGEST_FUNCTIONS.filter(({ number }) => numbers.includes(number));
  const lengths = new Set(offered.map(({ hexDigits }) => hexDigits));
  return lengths.size < offered.length || offered.some(({ implicit }) => !implicit);
}

function mapRequests(): Record<string, MethodHooks> {
  return Object.fromEntries(
    Object.entries(DIGEST_REQUESTS).map(([path, fields]): [string, MethodHooks] => [
      path,
      { request: (message, _, pair) => fillIn(message, fields, pair) },
    ]),
  );
}

/**
 * Adds the function of the first digest; nothing where the field is set, no digest is there, or nobody knows.
 * @throws BridgeError for a function that the client can only mean and the server lacks.
 */
function fillIn(message: Buffer, { field: number, digest, text }: DigestRequest, pair: Pair): Edit {
  const field = new Walker(message);
  while (field.next()) {
    if (field.number === number && field.wireType === WireType.VARINT && field.int32() !== 0) return null;
  }
  const hash = firstHash(new Walker(message), digest);
  const meant = hash === null ? null : meantFunction(hash.length, pair);
  if (meant === null) return null;
  if ("lacking" in meant) throw lackingFunction(meant.lacking, `${text}.hash`, pair);
  return rewriteMessage(
    new Walker(message),
    // An explicit 0 goes, so that the field is there once.
    ({ number: current, wireType }) => (current === number && wireType === WireType.VARINT ? "drop" : "keep"),
    (out) => out.varint(number, meant.number),
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
