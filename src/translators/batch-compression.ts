import type { PeerFacts, Support } from "../peers/dialect.ts";
import type { ClientFacts } from "../peers/profile.ts";
import { knows } from "../spec/ledger.ts";
import { WireError } from "../wire/wire-error.ts";
import { announceBatchCompressors } from "./announce/batch-compressors.ts";
import { decodeUpdate } from "./batches/decoded-update.ts";
import { updatesIn } from "./batches/entries.ts";
import { assumed, mayDiffer, pass } from "./declare.ts";
import { BATCH_UPDATE_BLOBS } from "./methods.ts";
import { of } from "./names.ts";
import type { FirstMessage, Translator } from "./translator.ts";

const ELEMENT = "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest.Request.compressor";

/**
 * Compressed data in batch calls (D17). Before 2.3 data were the blob; since then each entry may name a compressor that the server announces. For a server that
 * announces none the bridge decodes them, announced or not. What is read in batches comes compressed only where the client offers that in the request.
 */
export const batchCompression: Translator = {
  feature: {
    id: "batch-compression",
    title: "Compressed data in batch calls",
    since: "2.3",
    drift: ["D17"],
    why: "A server without it takes the compressed bytes for the blob.",
    forms: { plain: "data is the blob", compressed: "data may be compressed" },
  },
  owns: [
    ELEMENT,
    ...of("BatchReadBlobsRequest", "acceptable_compressors"),
    ...of("BatchReadBlobsResponse.Response", "compressor"),
    ...of("CacheCapabilities", "supported_batch_update_compressors"),
  ],
  after: [],
  clientAhead: "data are decoded on their way to the server; on demand what the bridge decodes is announced",
  serverAhead: "passes: a client that offers no compressor gets plain data",
  support,
  assume: {
    client: assumed(["compressed", "plain"], ["compressed", "plain"]),
    server: assumed(["plain"], ["plain"]),
  },
  toServer: {
    compressed: {
      plain: {
        kind: "translate",
        does: "compressed data are decoded on their way to the server",
        methods: { [BATCH_UPDATE_BLOBS]: { when: mayBeCompressed, exchange: decodeUpdate } },
      },
    },
    plain: { compressed: pass("plain data are taken by every server") },
  },
  toClient: pass("data are compressed only where the request of the client offers a compressor"),
  announce: announceBatchCompressors,
  announceIf: mayDiffer,
};

/** By level, but for clients that are known to have no compressor. */
function support({ role, level, facts }: PeerFacts): Support | null {
  const { compressors } = (role === "client" ? (facts ?? {}) : {}) as ClientFacts;
  if (compressors !== undefined && compressors.are.length === 0) {
    const evidence = { source: "profile", note: compressors.evidence } as const;
    return { reads: ["plain"], writes: ["plain"], evidence };
  }
  if (level === null) return null;
  const { evidence } = level;
  if (!knows(level.value, ELEMENT)) return { reads: ["plain"], writes: ["plain"], evidence };
  return {
    reads: ["compressed", "plain"],
    writes: role === "client" ? ["compressed", "plain"] : ["plain"],
    evidence,
  };
}

/** The compressor of an entry stands behind its data: only a message that is all there tells. */
function mayBeCompressed({ bytes, whole }: FirstMessage): boolean {
  if (!whole) return true;
  try {
    return updatesIn(bytes).some(({ compressor }) => compressor !== 0);
  } catch (error) {
    // The upstream says what is wrong with it.
    if (error instanceof WireError) return false;
    throw error;
  }
}
