import type { Dialect } from "../peers/dialect.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, formatDigest, readDigest } from "../wire/digest.ts";
import { DIGEST_FUNCTIONS, type DigestFunction, inferDigestFunction } from "../wire/digest-function.ts";
import { canHash, digestOf } from "../wire/hasher.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Status } from "../wire/status.ts";
import { readStatus } from "../wire/status-details.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { BATCH_READ_BLOBS, EXECUTE, FIND_MISSING_BLOBS } from "./methods.ts";
import type { Call, Edit, Pair, Translator } from "./translator.ts";

const EMPTY = Buffer.alloc(0);

/** The digests of nothing, by `hash/size`: only a right hash counts, a wrong one of size 0 is simply missing. */
const EMPTY_DIGESTS: ReadonlyMap<string, Digest> = new Map(
  DIGEST_FUNCTIONS.filter(canHash).map((fn) => [formatDigest(emptyOf(fn)), emptyOf(fn)]),
);

/** Functions that a hash in a request may be of, where the server names none. */
const ANY_FUNCTION = DIGEST_FUNCTIONS.map(({ number }) => number);

/** Instances of a server that were given the empty blob: what is forgotten is sent again. */
const stored = new WeakMap<Dialect, Set<string>>();
const MOST_STORED = 1000;

/**
 * The empty blob counts as stored (D13): since 2.2 clients need not send it. For a server that takes it for a blob like any other the bridge stores it
 * when the server misses it and before an action runs, and the client never hears that it was missing.
 */
export const emptyBlob: Translator = {
  feature: {
    id: "empty-blob",
    title: "The empty blob counts as stored",
    since: "2.2",
    drift: ["D13"],
    why: "A client that never sends the empty blob is told that it is missing.",
    forms: { stored: "the empty blob is a blob like any other", implied: "the empty blob need not be sent" },
  },
  owns: ["behaviour:empty-blob"],
  after: ["digest-function-field", "hash-text"],
  clientAhead: "the bridge stores the empty blob where the server misses it",
  serverAhead: "passes: to send the empty blob stays legal",
  support: byLevel({
    element: "behaviour:empty-blob",
    without: { reads: ["stored"], writes: ["stored"] },
    with: { reads: ["implied", "stored"], writes: ["implied"] },
  }),
  assume: { client: assumed(["stored"], ["implied"]), server: assumed(["stored"], ["stored"]) },
  toServer: {
    stored: { implied: pass("to send the empty blob stays legal") },
    implied: {
      stored: {
        kind: "translate",
        methods: {
          [FIND_MISSING_BLOBS]: { response: withoutEmpty },
          [BATCH_READ_BLOBS]: { response: (message) => readEmpty(message) },
          [EXECUTE]: { request: storeForAction },
        },
      },
    },
  },
  toClient: pass("a client that sends and reads the empty blob like any other finds it there"),
};

/** FindMissingBlobsResponse without the empty blob, once the server has taken it. */
async function withoutEmpty(message: Buffer, call: Call): Promise<Edit> {
  const missing: Digest[] = [];
  const field = new Walker(message);
  while (field.next()) {
    const empty = field.number === 2 ? emptyDigest(field) : undefined;
    if (empty !== undefined) missing.push(empty);
  }
  if (missing.length === 0 || !(await store(missing, call))) return null;
  return rewriteMessage(new Walker(message), (current) =>
    current.number === 2 && emptyDigest(current) !== undefined ? "drop" : "keep",
  );
}

/** BatchReadBlobsResponse in which the empty blob was found. */
function readEmpty(message: Buffer): Edit {
  return rewriteMessage(new Walker(message), (response, out) => {
    if (response.number !== 1 || response.wireType !== WireType.LEN || !isEmptyNotFound(response))
      return "keep";
    return rewriteField(response, out, ({ number }) => (number === 3 ? "drop" : "keep"));
  });
}

function isEmptyNotFound(response: Walker): boolean {
  let empty = false;
  let code: number = Status.OK;
  const field = response.enter();
  while (field.next()) {
    if (field.number === 1) empty = emptyDigest(field) !== undefined;
    else if (field.number === 3 && field.wireType === WireType.LEN) code = readStatus(field.enter()).code;
  }
  return empty && code === Status.NOT_FOUND;
}

/** Stores the empty blob once for each instance and function before an action runs that may need it; the request stays as it is. */
async function storeForAction(message: Buffer, call: Call, { server }: Pair): Promise<null> {
  const field = new Walker(message);
  let hash = "";
  while (field.next())
    if (field.number === 6 && field.wireType === WireType.LEN) hash = readDigest(field.enter()).hash;
  const offered = server.digestFunctions.length > 0 ? server.digestFunctions : ANY_FUNCTION;
  const fn = inferDigestFunction(hash.length, offered);
  if (fn === null || !canHash(fn)) return null;
  const key = `${fn.number} ${call.instance}`;
  const known = stored.get(server) ?? new Set();
  if (known.has(key) || !(await store([emptyOf(fn)], call))) return null;
  if (known.size >= MOST_STORED) known.clear();
  stored.set(server, known.add(key));
  return null;
}

/** Whether the upstream took it. One that does not, for want of rights or room, says what is missing by itself. */
async function store(digests: readonly Digest[], { port, log }: Call): Promise<boolean> {
  try {
    await port.writeBlobs(digests.map((digest) => ({ digest, bytes: EMPTY })));
    return true;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    log.debug({ reason: error.message }, "the upstream did not take the empty blob");
    return false;
  }
}

function emptyOf(fn: DigestFunction): Digest {
  return { hash: digestOf(EMPTY, fn).hash, sizeBytes: 0 };
}

/** The digest in a field, if it is one of nothing. */
function emptyDigest(field: Walker): Digest | undefined {
  return field.wireType === WireType.LEN
    ? EMPTY_DIGESTS.get(formatDigest(readDigest(field.enter())))
    : undefined;
}
