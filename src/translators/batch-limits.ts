import type { Evidence, PeerFacts, Support } from "../peers/dialect.ts";
import type { ClientFacts, ServerFacts } from "../peers/profile.ts";
import { WireError } from "../wire/wire-error.ts";
import { announceBatchLimit, saysBatchLimit } from "./announce/batch-limit.ts";
import { digestsIn } from "./batches/entries.ts";
import { divideFindMissing } from "./batches/find-missing.ts";
import { limitsOf, messageLimitOf } from "./batches/limits.ts";
import { answerBytes, divideRead } from "./batches/reads.ts";
import { divideUpdate } from "./batches/updates.ts";
import { assumed, pass } from "./declare.ts";
import { BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS, FIND_MISSING_BLOBS } from "./methods.ts";
import { of } from "./names.ts";
import type { FirstMessage, Pair, Translate, Translator } from "./translator.ts";

const DIVIDED: Translate = {
  kind: "translate",
  does: "what is too large for the server goes in several calls, and large blobs as streams",
  methods: {
    [FIND_MISSING_BLOBS]: {
      when: ({ length }, { server }) => length > messageLimitOf(server.facts),
      exchange: divideFindMissing,
    },
    [BATCH_UPDATE_BLOBS]: { when: mayBeTooLarge, exchange: divideUpdate },
    [BATCH_READ_BLOBS]: { when: asksForTooMuch, exchange: divideRead },
  },
};

/**
 * The size of batches (D18). A server may announce no limit, or one that does not say what it counts (P03), and clients do not all keep to it; lists of digests
 * have no announced limit at all. What is too much for one call the bridge divides into several, and sends what is too large for any by ByteStream. Calls within
 * the limits stay relayed.
 */
export const batchLimits: Translator = {
  feature: {
    id: "batch-limits",
    title: "The size of batches",
    since: "2018-11",
    drift: ["D18", "P03"],
    why: "A batch, or a list of digests, above what the server takes in one message is refused as a whole.",
    forms: {
      within: "calls about many blobs keep to what one message of the server's holds",
      any: "calls about any number of blobs, and batches of any size",
    },
  },
  owns: of("CacheCapabilities", "max_batch_total_size_bytes"),
  after: ["batch-compression"],
  clientAhead:
    "a limit that the upstream holds is announced, and what is larger all the same goes in several calls",
  serverAhead: "passes: what keeps to a limit is taken without one",
  support,
  assume: { client: assumed(["within", "any"], ["within", "any"]), server: assumed(["within"], ["within"]) },
  toServer: {
    any: { within: DIVIDED },
    within: { any: pass("a server without a limit takes what keeps to one") },
  },
  toClient: pass("an answer is as large as what was asked for"),
  announce: announceBatchLimit,
  announceIf: saysBatchLimit,
};

/**
 * Every real server has a limit, known or not; one that is nothing but a level has none. Clients are held to divide lists, and to count messages, if that is known
 * of them.
 */
function support({ role, level, facts }: PeerFacts): Support | null {
  if (role === "client") return clientSupport((facts ?? {}) as ClientFacts);
  const { batchLimit, messageLimit, level: profiled } = (facts ?? {}) as ServerFacts;
  const known = batchLimit ?? messageLimit;
  if (known !== undefined) return { ...LIMITED, evidence: { source: "profile", note: known.evidence } };
  if (level === null || profiled !== undefined) return null;
  return { reads: ["any", "within"], writes: ["within"], evidence: level.evidence };
}

const LIMITED = { reads: ["within"], writes: ["within"] } as const;

function clientSupport({ findMissing, batchLimit }: ClientFacts): Support | null {
  const beyond =
    batchLimit?.counts === "blobs" ? batchLimit : findMissing?.divided === false ? findMissing : null;
  const known = beyond ?? findMissing;
  if (known === undefined) return null;
  const evidence: Evidence = { source: "profile", note: known.evidence };
  return { reads: ["within", "any"], writes: beyond === null ? ["within"] : ["within", "any"], evidence };
}

/** The length of the message is enough to tell, unless blobs alone count. */
function mayBeTooLarge({ length }: FirstMessage, { server }: Pair): boolean {
  const { whole } = limitsOf(server.facts);
  return length > Math.min(whole.message, whole.blobs);
}

/** By the sizes in the digests, if all are there. */
function asksForTooMuch({ bytes, whole: complete }: FirstMessage, { server }: Pair): boolean {
  if (!complete) return true;
  const { whole } = limitsOf(server.facts);
  try {
    return answerBytes(digestsIn(bytes)) > Math.min(whole.message, whole.blobs);
  } catch (error) {
    // The upstream says what is wrong with it.
    if (error instanceof WireError) return false;
    throw error;
  }
}
