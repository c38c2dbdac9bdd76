import type { PeerFacts } from "../peers/dialect.ts";
import { type ElementId, knows } from "../spec/ledger.ts";
import { isLevel } from "../spec/versions.ts";
import { DIGEST_FUNCTIONS, digestFunctionByNumber } from "../wire/digest-function.ts";
import { parseResourceName } from "../wire/resource-name.ts";
import { editCachePart } from "./announce/cache-part.ts";
import { hideValues } from "./announce/enum-lists.ts";
import { assumed, pass } from "./declare.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  EXECUTE,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_TREE,
  QUERY_WRITE_STATUS,
  READ,
  SPLICE_BLOB,
  SPLIT_BLOB,
  UPDATE_ACTION_RESULT,
  WRITE,
} from "./methods.ts";
import { of } from "./names.ts";
import type { Announcement, Edit, Pair, Reject, Translator, Use } from "./translator.ts";

const VALUES = "build.bazel.remote.execution.v2.DigestFunction.Value";
const FIRST_NAMED = `${VALUES}.SHA256TREE` as const;
const WHAT = "A digest function beyond the first seven";

/** CacheCapabilities.digest_functions. */
const FUNCTIONS = 1;

const GITSHA1 = 10;

/** Requests that name their digest function, and the field in which they do. */
const FIELDS: readonly (readonly [method: string, number: number])[] = [
  [EXECUTE, 9],
  [GET_ACTION_RESULT, 6],
  [UPDATE_ACTION_RESULT, 5],
  [FIND_MISSING_BLOBS, 3],
  [BATCH_UPDATE_BLOBS, 5],
  [BATCH_READ_BLOBS, 4],
  [GET_TREE, 5],
  [SPLIT_BLOB, 3],
  [SPLICE_BLOB, 4],
];

const REFUSED: Reject = {
  kind: "reject",
  code: "digest-function-unsupported",
  has: offered,
  fix: "start the client with a digest function that the upstream has",
  uses: [...FIELDS.map(([method, number]) => named(method, number)), inNames()],
};

/**
 * Which digest functions there are (D09). The first seven need not be named; a server from before 2.5 skips the name of a later one, takes its hashes for
 * those of a function of its own, and never finds or stores the blob. Servers that know the field refuse by themselves what they do not have.
 */
export const digestFunctions: Translator = {
  feature: {
    id: "digest-functions",
    title: "Digest functions",
    since: "2.5",
    drift: ["D09", "P07", "P08"],
    why: "A server takes a hash of a function it does not have for one of its own, and never finds or stores the blob.",
    forms: {
      "first-seven": "the functions that need not be named",
      named: "also SHA256TREE, BLAKE3 and GITSHA1, which requests name",
    },
  },
  owns: [
    ...of("CacheCapabilities", "digest_functions"),
    ...of("DigestFunction.Value", "UNKNOWN", ...DIGEST_FUNCTIONS.map(({ name }) => name)),
  ],
  after: [],
  clientAhead: "a request that names a later function is refused, with those the upstream has",
  serverAhead:
    "functions that the client cannot know, or that may not be what it takes them for, are not announced to it",
  support: (facts) => {
    const later = facts.digestFunctions.some((number) => digestFunctionByNumber(number)?.implicit === false);
    if (later) {
      const names = "digest functions it announces or uses";
      return { ...forms(facts, true), evidence: { source: "advertised", note: names } };
    }
    if (facts.level === null) return null;
    return { ...forms(facts, knows(facts.level.value, FIRST_NAMED)), evidence: facts.level.evidence };
  },
  assume: {
    client: assumed(["named", "first-seven"], ["named", "first-seven"]),
    server: assumed(["first-seven"], ["first-seven"]),
  },
  toServer: {
    "first-seven": { named: pass("a server goes on reading the functions that need not be named") },
    named: { "first-seven": REFUSED },
  },
  toClient: {
    "first-seven": { named: pass("a client goes on reading the functions that need not be named") },
    named: { "first-seven": { kind: "translate" } },
  },
  announce,
  announceIf: (pair) => {
    const hidden = hiddenFrom(pair);
    return pair.server.digestFunctions.some((number) => hidden.has(number));
  },
};

function forms({ role }: PeerFacts, later: boolean) {
  if (!later) return { reads: ["first-seven"], writes: ["first-seven"] };
  return {
    reads: ["named", "first-seven"],
    writes: role === "client" ? ["named", "first-seven"] : ["named"],
  };
}

function offered({ server }: Pair): string {
  const names = server.digestFunctions.map((number) => digestFunctionByNumber(number)?.name).filter(Boolean);
  return names.length > 0 ? `has ${names.join(", ")}` : "has only digest functions from before API 2.5";
}

function named(method: string, number: number): Use {
  const holds = (payload: Buffer): boolean => payload.length > 1 || payload[0]! > 7;
  const used = { what: WHAT, element: FIRST_NAMED, text: "digest_function", path: [number], holds };
  return { in: "request", methods: [method], used };
}

function inNames(): Use {
  const holds = (payload: Buffer): boolean =>
    parseResourceName(payload.toString())?.digestFunction?.implicit === false;
  const used = { what: WHAT, element: FIRST_NAMED, text: "resource_name", path: [1], holds };
  return { in: "request", methods: [READ, WRITE, QUERY_WRITE_STATUS], used };
}

/** Leaves out of CacheCapabilities.digest_functions what the client cannot use. The order of the others stays. */
function announce({ bytes, pair }: Announcement): Edit {
  const hidden = hiddenFrom(pair);
  if (hidden.size === 0) return null;
  return editCachePart(bytes, (field, out) =>
    field.number === FUNCTIONS ? hideValues(field, out, (number) => hidden.has(number)) : "keep",
  );
}

/** Numbers of the functions that the client's revision does not have, and of the one that may mean another (P08). */
function hiddenFrom({ client, server }: Pair): Set<number> {
  const later = DIGEST_FUNCTIONS.filter(({ name }) => lacks(client.version, name));
  const hidden = new Set(later.map(({ number }) => number));
  if (!saysGitSha1(server)) hidden.add(GITSHA1);
  return hidden;
}

function lacks(version: string | null, name: string): boolean {
  return version !== null && isLevel(version) && !knows(version, `${VALUES}.${name}` as ElementId);
}

/** Number 10 was the draft's before it was GITSHA1: a server means the latter if its revision has it, or its profile says so. */
function saysGitSha1({ version, facts }: Pair["server"]): boolean {
  const named = facts.digestFunctions?.are.includes("GITSHA1") === true;
  return named || (version !== null && isLevel(version) && !lacks(version, "GITSHA1"));
}
