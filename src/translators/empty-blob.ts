import type { Dialect } from "../peers/dialect.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, formatDigest, readDigest } from "../wire/digest.ts";
import {
  DIGEST_FUNCTIONS,
  type DigestFunction,
  digestFunctionByNumber,
  inferDigestFunction,
} from "../wire/digest-function.ts";
import { digestIn, numberIn } from "../wire/fields.ts";
import { canHash, digestOf } from "../wire/hasher.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Status } from "../wire/status.ts";
import { readStatus } from "../wire/status-details.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { DIGEST_REQUESTS } from "./digest-requests.ts";
import { BATCH_READ_BLOBS, EXECUTE, FIND_MISSING_BLOBS } from "./methods.ts";
import type { Call, Edit, Pair, Translator } from "./translator.ts";

const EMPTY = Buffer.alloc(0);

/** Functions by the digest that they make of nothing, as `hash/size`: only a right hash counts, a wrong one of size 0 is simply missing. */
const BY_EMPTY: ReadonlyMap<string, readonly DigestFunction[]> = Map.groupBy(
  DIGEST_FUNCTIONS.filter(canHash),
  (fn) => formatDigest(emptyOf(fn)),
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
async function withoutEmpty(message: Buffer, call: Call, { server }: Pair): Promise<Edit> {
  const missing = new Set<DigestFunction>();
  const field = new Walker(message);
  while (field.next()) if (field.number === 2) for (const fn of emptyFunctions(field)) missing.add(fn);
  // SHA256 and SHA256TREE make the same of nothing; which one is meant only the request may say.
  const stored = [...missing].filter((fn) => fn.implicit || server.digestFunctions.includes(fn.number));
  for (const fn of stored) if (!(await store(fn, call))) return null;
  const hashes = new Set(stored.map((fn) => emptyOf(fn).hash));
  return rewriteMessage(new Walker(message), (current) =>
    current.number === 2 && emptyFunctions(current).some((fn) => hashes.has(emptyOf(fn).hash))
      ? "drop"
      : "keep",
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
    if (field.number === 1) empty = emptyFunctions(field).length > 0;
    else if (field.number === 3 && field.wireType === WireType.LEN) code = readStatus(field.enter()).code;
  }
  return empty && code === Status.NOT_FOUND;
}

/** Stores the empty blob once for each instance and function before an action runs that may need it; the request stays as it is. */
async function storeForAction(message: Buffer, call: Call, { server }: Pair): Promise<null> {
  const named = digestFunctionByNumber(numberIn(message, DIGEST_REQUESTS[EXECUTE]!.field));
  const action = digestIn(message, 6);
  const offered = server.digestFunctions.length > 0 ? server.digestFunctions : ANY_FUNCTION;
  const fn = named ?? inferDigestFunction(action?.hash.length ?? 0, offered);
  if (fn === null || !canHash(fn)) return null;
  const key = `${fn.number} ${call.instance}`;
  const known = stored.get(server) ?? new Set();
  if (known.has(key) || !(await store(fn, call))) return null;
  if (known.size >= MOST_STORED) known.clear();
  stored.set(server, known.add(key));
  return null;
}

/** Whether the upstream took it. One that does not, for want of rights or room, says what is missing by itself. */
async function store(fn: DigestFunction, call: Call): Promise<boolean> {
  const port = fn.implicit ? call.port : call.portFor(fn.number);
  try {
    await port.writeBlobs([{ digest: emptyOf(fn), bytes: EMPTY }]);
    return true;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    call.log.debug({ reason: error.message }, "the upstream did not take the empty blob");
    return false;
  }
}

function emptyOf(fn: DigestFunction): Digest {
  return { hash: digestOf(EMPTY, fn).hash, sizeBytes: 0 };
}

/** The functions of which the digest in a field is that of nothing. */
function emptyFunctions(field: Walker): readonly DigestFunction[] {
  if (field.wireType !== WireType.LEN) return [];
  return BY_EMPTY.get(formatDigest(readDigest(field.enter()))) ?? [];
}
