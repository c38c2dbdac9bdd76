import type { PeerFacts, Support } from "../../peers/dialect.ts";
import type { BridgeError } from "../../spec/bridge-error.ts";
import { knows } from "../../spec/ledger.ts";
import { type DigestFunction, digestFunctionByNumber } from "../../wire/digest-function.ts";
import { digestIn, numberIn } from "../../wire/fields.ts";
import { rewriteMessage } from "../../wire/rewrite.ts";
import { Walker } from "../../wire/walker.ts";
import { assumed, pass } from "../declare.ts";
import { FETCH_BLOB } from "../methods.ts";
import { ids } from "../names.ts";
import { refusalOf } from "../refusal.ts";
import type { Call, Edit, MethodHooks, Pair, Translate, Translator } from "../translator.ts";
import { offeredText, toldByLength } from "../unsaid-functions.ts";
import { ASSET, FETCHES, PUSHES, ReplyField, readReply } from "./messages.ts";
import { inFunction, refusedReply } from "./rehash.ts";

const ID = "asset-digest-function";
const FIELD = `${ASSET}.FetchBlobRequest.digest_function` as const;
const SHA256 = 1;

/** `digest_function` of requests, and the digest of those that push. */
const FETCH_FUNCTION = 6;
const PushField = { digest: 5, digestFunction: 8 } as const;

const OLDER = pass("without the field a fetch means SHA-256, as it always did");

/**
 * The digest function of assets (D55). Before 2.10 an asset was fetched with SHA-256, whatever the client uses. The reply of such a server gets the field
 * filled in; a file that was asked for under another function is read, hashed and stored under that one. A directory cannot be: it names others.
 */
export const assetDigestFunction: Translator = {
  feature: {
    id: ID,
    title: "The digest function of assets",
    since: "2.10",
    drift: ["D55"],
    why: "An older server answers with a SHA-256 digest, whatever function was asked for.",
    forms: {
      unsaid: "assets are fetched with SHA-256",
      stated: "requests and replies name the function",
      own: "the field is absent, and the client means another function than SHA-256",
    },
  },
  owns: [
    "behaviour:asset-digest-default",
    ...[
      "FetchBlobRequest",
      "FetchBlobResponse",
      "FetchDirectoryRequest",
      "FetchDirectoryResponse",
      "PushBlobRequest",
      "PushDirectoryRequest",
    ].flatMap((message) => ids(`${ASSET}.${message}`, ["digest_function"])),
  ],
  after: [],
  clientAhead:
    "the reply says its function; a file is stored under the function that was asked for, if the upstream has it",
  serverAhead: "the request says the function of a client that is known to use another than SHA-256",
  support,
  assume: {
    client: assumed(["stated", "unsaid"], ["stated", "unsaid"]),
    server: assumed(["unsaid"], ["unsaid"]),
  },
  toServer: {
    unsaid: { stated: OLDER, own: OLDER },
    stated: { unsaid: answered(), own: answered() },
    own: { unsaid: answered(), stated: filled() },
  },
  toClient: pass("what a reply lacks it gets where the request is known; an older client skips the field"),
};

function support({ role, level, digestFunctions: [own] }: PeerFacts): Support | null {
  if (level === null) return null;
  const { evidence } = level;
  if (knows(level.value, FIELD)) {
    const forms = ["stated", "unsaid"];
    return { reads: forms, writes: role === "client" ? forms : ["stated"], evidence };
  }
  const form = role === "client" && own !== undefined && own !== SHA256 ? "own" : "unsaid";
  return { reads: [form], writes: [form], evidence };
}

/** For a server that does not read the field. */
function answered(): Translate {
  const fetch: MethodHooks = { request: note, response: answer };
  return {
    kind: "translate",
    methods: {
      ...Object.fromEntries(FETCHES.map((path) => [path, fetch])),
      ...Object.fromEntries(PUSHES.map((path) => [path, { request: pushedAsTold }])),
    },
  };
}

/** For a server that reads the field, before a client that does not know it. */
function filled(): Translate {
  const fill =
    (field: number) =>
    (message: Buffer, _: Call, pair: Pair): Edit => {
      const own = ownFunction(pair);
      if (own === null || numberIn(message, field) !== 0) return null;
      const { digestFunctions } = pair.server;
      if (digestFunctions.length > 0 && !digestFunctions.includes(own)) return null;
      return withFunction(message, field, own);
    };
  const pushed = (message: Buffer, call: Call, pair: Pair): Edit => {
    const digest = digestIn(message, PushField.digest);
    const own = digestFunctionByNumber(ownFunction(pair) ?? 0);
    // By its length the server tells the first seven itself.
    if (digest === null || own === undefined || own.implicit || own.hexDigits !== digest.hash.length)
      return null;
    return fill(PushField.digestFunction)(message, call, pair);
  };
  return {
    kind: "translate",
    methods: {
      ...Object.fromEntries(FETCHES.map((path) => [path, { request: fill(FETCH_FUNCTION) }])),
      ...Object.fromEntries(PUSHES.map((path) => [path, { request: pushed }])),
    },
  };
}

/** The function that a client means by leaving the field out; null for SHA-256, as the API says. */
function ownFunction({ client }: Pair): number | null {
  const isOwn = client.features[ID]?.writes.includes("own") === true;
  return isOwn ? (client.digestFunctions[0] ?? null) : null;
}

/** Remembers which function the client wants; the request stays as it is. */
function note(message: Buffer, { scratch }: Call, pair: Pair): null {
  scratch.set(ID, numberIn(message, FETCH_FUNCTION) || (ownFunction(pair) ?? 0));
  return null;
}

/** The reply with its function, and with a digest of the one that was asked for. */
async function answer(message: Buffer, call: Call, pair: Pair): Promise<Edit> {
  const { code, digest, digestFunction } = readReply(message);
  if (code !== 0 || digest === null || digest.hash === "" || digestFunction !== 0) return null;
  const made = toldByLength(digest.hash.length, pair.server.digestFunctions);
  if (made === null) return null;
  const wanted = digestFunctionByNumber(call.scratch.get(ID) as number) ?? made;
  if (wanted === made) return withFunction(message, ReplyField.digestFunction, made.number);
  const offered = pair.server.digestFunctions.includes(wanted.number);
  if (!offered || call.method !== FETCH_BLOB) return refusedReply(message, notFetched(wanted, call, pair));
  return inFunction(message, { digest, made, wanted, call, refusal: () => notFetched(wanted, call, pair) });
}

function notFetched({ name }: DigestFunction, { method }: Call, pair: Pair): BridgeError {
  if (method === FETCH_BLOB) return refusal(`A file to be fetched with ${name}`, pair);
  return refusal(
    `A directory to be fetched with ${name}`,
    pair,
    "makes directories with SHA-256, each of which names others",
  );
}

function refusal(what: string, pair: Pair, has = offeredText(pair)): BridgeError {
  const used = { what, element: FIELD, text: "digest_function" };
  const step = { code: "digest-function-unsupported", has, fix: "fetch and push with SHA-256" } as const;
  return refusalOf(assetDigestFunction, step, "stated", used, pair);
}

/** A server that does not read the field goes by the length of the hash: that must not mean another function. */
function pushedAsTold(message: Buffer, _: Call, pair: Pair): null {
  const digest = digestIn(message, PushField.digest);
  const number = numberIn(message, PushField.digestFunction) || (ownFunction(pair) ?? 0);
  const pushed = digestFunctionByNumber(number);
  if (digest === null || pushed === undefined) return null;
  if (toldByLength(digest.hash.length, pair.server.digestFunctions) === pushed) return null;
  throw refusal(`A digest of ${pushed.name} to be pushed`, pair);
}

function withFunction(message: Buffer, field: number, number: number): Edit {
  return rewriteMessage(
    new Walker(message),
    ({ number: current }) => (current === field ? "drop" : "keep"),
    (out) => out.varint(field, number),
  );
}
