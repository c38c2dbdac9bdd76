import type { PeerFacts, Support } from "../peers/dialect.ts";
import { formatDigest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { parseResourceName, type ResourceName } from "../wire/resource-name.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { QUERY_WRITE_STATUS, READ, WRITE } from "./methods.ts";
import { nameHeader } from "./name-header.ts";
import { ids } from "./names.ts";
import type { Pair, Translate, Translator } from "./translator.ts";
import { lackingFunction, meantFunction, unsaidFunctions } from "./unsaid-functions.ts";

const BLOB_NAMES = [READ, WRITE, QUERY_WRITE_STATUS];
const SEGMENT = "behaviour:function-segment";

const OWN_FUNCTION = pass("such a server has one function, and takes every name for one of it");
const SHORTER = pass("a name without the segment stays legal");

/**
 * The names of blobs in ByteStream (D14). Since 2.5 a segment before the hash may name the digest function; a server that cannot read it gets the name
 * without, where the function need not be named. The header that repeats the name (D06) follows. All that follows the size stays, and names that are
 * none of blobs pass as they are.
 */
export const resourceNames: Translator = {
  feature: {
    id: "resource-names",
    title: "Names of blobs in ByteStream",
    since: "2.5",
    drift: ["D14", "D06"],
    why: "Older servers cannot read names of a later grammar.",
    forms: {
      plain: "blobs/{hash}/{size}",
      extended: "also with a segment for the digest function",
      unsaid: "a plain name, though its digest function has to be named",
    },
  },
  owns: [
    SEGMENT,
    "behaviour:compressed-names",
    "behaviour:optional-metadata",
    "behaviour:resource-name-header",
    ...ids("google.bytestream.ByteStream", ["Read", "Write"]),
    ...["ReadRequest", "WriteRequest", "QueryWriteStatusRequest"].flatMap((message) =>
      ids(`google.bytestream.${message}`, ["resource_name"]),
    ),
  ],
  after: ["hash-text"],
  clientAhead: "a segment that names one of the first seven functions is left out",
  serverAhead: "the segment is added where the client can only mean a function that has to be named",
  support: (facts) => unsaid(facts) ?? byGrammar(facts),
  assume: {
    client: assumed(["extended", "plain"], ["extended", "plain"]),
    server: assumed(["plain"], ["plain"]),
  },
  toServer: {
    plain: { extended: SHORTER, unsaid: SHORTER },
    extended: { plain: renaming(withoutSegment), unsaid: renaming(withoutSegment) },
    unsaid: { plain: OWN_FUNCTION, extended: renaming(withSegment) },
  },
  toClient: pass("no response names a blob in this way"),
};

const byGrammar = byLevel({
  element: SEGMENT,
  without: { reads: ["plain"], writes: ["plain"] },
  with: { reads: ["extended", "plain"], writes: ["extended", "plain"] },
});

/** A client that is known to use later functions without a word: it leaves out what it would have to say. */
function unsaid(facts: PeerFacts): Support | null {
  const { level } = facts;
  if (level === null || unsaidFunctions(facts).length === 0) return null;
  return { reads: ["unsaid"], writes: ["unsaid"], evidence: level.evidence };
}

/** Renames in the first message, and in the header that repeats it. */
function renaming(rename: (name: string, pair: Pair) => string): Translate {
  const head = {
    field: 1,
    rewrite: (value: Buffer | null, pair: Pair): Buffer | null => {
      if (value === null) return null;
      const name = value.toString();
      const renamed = rename(name, pair);
      return renamed === name ? value : Buffer.from(renamed);
    },
  };
  return {
    kind: "translate",
    methods: Object.fromEntries(BLOB_NAMES.map((path) => [path, { head }])),
    metadata: nameHeader(rename),
  };
}

function withoutSegment(name: string): string {
  const parts = parseResourceName(name);
  if (parts?.digestFunction?.implicit !== true) return name;
  return replaceTail(name, tailOf(parts, parts.digestFunction), tailOf(parts, null));
}

function withSegment(name: string, pair: Pair): string {
  const parts = parseResourceName(name);
  if (parts === null || parts.digestFunction !== null) return name;
  const meant = meantFunction(parts.digest.hash.length, pair);
  if (meant === null) return name;
  if ("lacking" in meant) throw lackingFunction(meant.lacking, "resource_name", pair);
  return meant.implicit ? name : replaceTail(name, tailOf(parts, null), tailOf(parts, meant));
}

/** What a name ends in from the segment, or from the hash, on. */
function tailOf({ digest, metadata }: ResourceName, fn: DigestFunction | null): string {
  const segment = fn === null ? "" : `${fn.segment}/`;
  return `${segment}${formatDigest(digest)}${metadata === null ? "" : `/${metadata}`}`;
}

function replaceTail(name: string, tail: string, by: string): string {
  return name.slice(0, name.length - tail.length) + by;
}
