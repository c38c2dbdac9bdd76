import { COMPRESSORS } from "../../compression/compressors.ts";
import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { type ElementId, knows } from "../../spec/ledger.ts";
import { aboutCompressed } from "../blob-names.ts";
import { assumed, mayDiffer, pass } from "../declare.ts";
import { QUERY_WRITE_STATUS, READ, WRITE } from "../methods.ts";
import { of } from "../names.ts";
import type { FirstMessage, Pair, Step, Translate, Translator } from "../translator.ts";
import { announceStreamed } from "./announce.ts";
import { COMPRESSED_BLOBS, isNative } from "./feature.ts";
import { readCompressed } from "./read.ts";
import { queryCompressed, writeCompressed } from "./write.ts";

const SEGMENTS = COMPRESSORS.map(({ segment }) => segment);
const FORMS = ["plain", ...SEGMENTS];

/** Calls about plain blobs, and about those in a form that the upstream has, stay relayed. */
const when = (first: FirstMessage, pair: Pair): boolean =>
  aboutCompressed(first, ({ compressor }) => !isNative(compressor!, pair));

const TRANSCODED: Translate = {
  kind: "translate",
  does: "the bridge compresses and decompresses, and the blob travels plain behind it",
  methods: {
    [READ]: { when, exchange: readCompressed },
    [WRITE]: { when, exchange: writeCompressed },
    [QUERY_WRITE_STATUS]: { when, exchange: queryCompressed },
  },
};

const ALSO_PLAIN = pass("every blob can be had plain as well");

/**
 * Compressed blobs (D15). What a client reads or writes with a compressor that the upstream lacks travels plain upstream, and is compressed or decompressed here,
 * as a stream. An upload keeps its id, and its offsets are those of the blob, so that it may go on at another replica.
 */
export const compressedBlobs: Translator = {
  feature: COMPRESSED_BLOBS,
  owns: [
    "behaviour:compressed-blobs",
    ...of("Compressor.Value", "IDENTITY", "ZSTD", "DEFLATE", "BROTLI"),
    ...of("CacheCapabilities", "supported_compressors"),
    "google.bytestream.ReadResponse.data",
    "google.bytestream.WriteRequest.data",
  ],
  after: [],
  clientAhead:
    "blobs with a compressor that the upstream lacks are compressed and decompressed by the bridge",
  serverAhead: "passes: every blob can be had plain as well",
  support,
  assume: { client: assumed(FORMS, [...SEGMENTS, "plain"]), server: assumed(["plain"], ["plain"]) },
  toServer: Object.fromEntries(
    FORMS.map((from) => [
      from,
      Object.fromEntries(
        FORMS.filter((to) => to !== from).map((to): [string, Step] => [
          to,
          from === "plain" ? ALSO_PLAIN : TRANSCODED,
        ]),
      ),
    ]),
  ),
  toClient: pass("what comes compressed was asked for by that name"),
  announce: announceStreamed,
  announceIf: mayDiffer,
};

/** A level tells which compressors there may be; plain blobs there always are. */
function support({ role, level }: PeerFacts): Support | null {
  if (level === null) return null;
  const known = COMPRESSORS.filter(({ name }) =>
    knows(level.value, `build.bazel.remote.execution.v2.Compressor.Value.${name}` as ElementId),
  ).map(({ segment }) => segment);
  const reads = ["plain", ...known];
  return { reads, writes: role === "client" ? [...known, "plain"] : ["plain"], evidence: level.evidence };
}
