import type { PeerFacts, Support } from "../peers/dialect.ts";
import type { ServerFacts } from "../peers/profile.ts";
import { knows } from "../spec/ledger.ts";
import { parseResourceName } from "../wire/resource-name.ts";
import { announceBlobLimit } from "./announce/blob-limit.ts";
import { assumed, mayDiffer, pass } from "./declare.ts";
import { WRITE } from "./methods.ts";
import { of } from "./names.ts";
import { refusalOf } from "./refusal.ts";
import type { Pair, Translator } from "./translator.ts";

const ELEMENT = "build.bazel.remote.execution.v2.CacheCapabilities.max_cas_blob_size_bytes";

/**
 * The largest blob that a server takes (D19). A client that does not know the limit is told so when it begins an upload that is larger, as the server would say
 * in the end: with INVALID_ARGUMENT, but with the limit, and before the blob has travelled. Blobs in batches the server refuses itself, each by itself.
 */
export const blobSizeLimit: Translator = {
  feature: {
    id: "blob-size-limit",
    title: "The largest blob",
    since: "2.12",
    drift: ["D19", "P10"],
    why: "Clients send blobs that will be refused.",
    forms: { any: "blobs of any size", within: "no blobs beyond the limit that the server states" },
  },
  owns: [...of("CacheCapabilities", "max_cas_blob_size_bytes")],
  after: ["resource-names"],
  clientAhead: "passes: without a limit every blob is taken; one that a profile knows of is announced",
  serverAhead: "an upload beyond the limit is refused when it begins, with the limit",
  support,
  assume: {
    client: assumed(["within", "any"], ["within", "any"]),
    server: assumed(["any", "within"], ["any"]),
  },
  toServer: {
    any: {
      within: {
        kind: "translate",
        does: "an upload of a blob beyond the limit is refused when it begins",
        methods: { [WRITE]: { head: { field: 1, rewrite: checked } } },
      },
    },
    within: { any: pass("a server that states no limit takes what keeps to one") },
  },
  toClient: pass("blobs beyond the limit may be read all the same"),
  announce: announceBlobLimit,
  announceIf: (pair) => mayDiffer(pair) || pair.server.facts.blobLimit?.bytes !== undefined,
};

/** A server that states a number has the limit, others have none; clients know of it by their level. */
function support({ role, level, facts }: PeerFacts): Support | null {
  const { blobLimit } = (role === "server" ? (facts ?? {}) : {}) as ServerFacts;
  if (blobLimit?.bytes !== undefined) {
    const evidence = { source: "profile", note: blobLimit.evidence } as const;
    return { reads: ["within"], writes: ["within"], evidence };
  }
  if (level === null) return null;
  const { evidence } = level;
  if (role === "server") return { reads: ["any", "within"], writes: ["any"], evidence };
  const writes = knows(level.value, ELEMENT) ? ["within"] : ["any"];
  return { reads: ["within", "any"], writes, evidence };
}

/** The name of an upload, if its blob is within the limit. @throws BridgeError INVALID_ARGUMENT if not. */
function checked(value: Buffer | null, pair: Pair): Buffer | null {
  const limit = pair.server.facts.blobLimit?.bytes ?? Number.POSITIVE_INFINITY;
  const size = value === null ? 0 : (parseResourceName(value.toString())?.digest.sizeBytes ?? 0);
  if (size <= limit) return value;
  throw refusalOf(
    blobSizeLimit,
    {
      code: "request-unsupported",
      has: `takes blobs of at most ${limit} bytes (max_cas_blob_size_bytes)`,
      fix: "keep the blob below the limit, or raise the limit of the upstream",
    },
    "any",
    { what: `A blob of ${size} bytes`, element: null, text: "resource_name" },
    pair,
  );
}
