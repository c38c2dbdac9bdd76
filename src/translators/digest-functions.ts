import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { DIGEST_FUNCTIONS, digestFunctionByNumber } from "../wire/digest-function.ts";
import { parseResourceName, type ResourceName } from "../wire/resource-name.ts";
import { announceFunctions, hidesFunctions } from "./announce/digest-functions.ts";
import { assumed, pass } from "./declare.ts";
import { DIGEST_REQUESTS } from "./digest-requests.ts";
import { QUERY_WRITE_STATUS, READ, WRITE } from "./methods.ts";
import { of } from "./names.ts";
import type { Reject, Translator, Use, UsedThing } from "./translator.ts";
import { offeredText, unsaidFunctions } from "./unsaid-functions.ts";

const FIRST_NAMED = "build.bazel.remote.execution.v2.DigestFunction.Value.SHA256TREE";

const REJECT = {
  kind: "reject",
  code: "digest-function-unsupported",
  has: offeredText,
  fix: "start the client with a digest function that the upstream has",
} as const;

const LATER = "A digest function beyond the first seven";
const NAMED: Reject = {
  ...REJECT,
  uses: [
    ...Object.entries(DIGEST_REQUESTS).map(([method, { field }]) => naming(method, field)),
    inNames({ what: LATER, element: FIRST_NAMED }, (name) => name.digestFunction?.implicit === false),
  ],
};

/** Of such a client every hash of that length is of a later function, and the server would take it for SHA-256. */
const UNSAID: Reject = {
  ...REJECT,
  uses: hashesOf(64, { what: "A hash of SHA256TREE or BLAKE3, which is not named,", element: FIRST_NAMED }),
};

/** The draft put a byte before the name of a git object, which says whether it is a blob or a tree. */
const GIT_OBJECTS: Reject = {
  ...REJECT,
  fix: "have the client use SHA256, as Justbuild does in its compatible mode",
  uses: hashesOf(42, { what: "A hash of 42 digits, the name of a git object,", element: null }),
};

const STAYS = pass("the functions that need not be named are read by all");
const NAMED_ON_THE_WAY = pass("requests and names get the name of the function, or are refused, on the way");
const FOR_OTHERS = pass("a client is not asked to use a function that it does not have");

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
      unsaid: "SHA256TREE or BLAKE3 in place of SHA256, which requests do not name",
      "git-objects": "hashes of 42 digits, names of git objects, as a draft had them",
    },
  },
  owns: [
    ...of("CacheCapabilities", "digest_functions"),
    ...of("DigestFunction.Value", "UNKNOWN", ...DIGEST_FUNCTIONS.map(({ name }) => name)),
  ],
  after: [],
  clientAhead: "a request that uses a later function is refused, with those the upstream has",
  serverAhead:
    "functions that the client cannot know, or that may not be what it takes them for, are not announced to it",
  support: (facts) => gitObjects(facts) ?? unsaid(facts) ?? byFunctions(facts),
  assume: {
    client: assumed(["named", "first-seven"], ["named", "first-seven"]),
    server: assumed(["first-seven"], ["first-seven"]),
  },
  toServer: {
    "first-seven": { named: STAYS, unsaid: STAYS, "git-objects": STAYS },
    named: { "first-seven": NAMED, unsaid: NAMED, "git-objects": NAMED },
    unsaid: { "first-seven": UNSAID, named: NAMED_ON_THE_WAY, "git-objects": UNSAID },
    "git-objects": { "first-seven": GIT_OBJECTS, named: GIT_OBJECTS, unsaid: GIT_OBJECTS },
  },
  toClient: {
    "first-seven": { named: STAYS, unsaid: STAYS, "git-objects": STAYS },
    named: { "first-seven": { kind: "translate" }, unsaid: STAYS, "git-objects": { kind: "translate" } },
    unsaid: { "first-seven": FOR_OTHERS, named: FOR_OTHERS, "git-objects": FOR_OTHERS },
    "git-objects": { "first-seven": { kind: "translate" }, named: { kind: "translate" }, unsaid: FOR_OTHERS },
  },
  announce: announceFunctions,
  announceIf: hidesFunctions,
};

/** Peers of the draft whose hashes are names of git objects (P08). */
function gitObjects({ role, facts }: PeerFacts): Support | null {
  const server = (facts as PeerFacts<"server">["facts"])?.gitHashes;
  const client = (facts as PeerFacts<"client">["facts"])?.digestFunctions;
  const isOne = role === "server" ? server?.is === true : client?.gitHashes === true;
  const evidence = (role === "server" ? server : client)?.evidence ?? "";
  return isOne ? formsOf(["git-objects", "first-seven"], { source: "profile", note: evidence }) : null;
}

function unsaid(facts: PeerFacts): Support | null {
  if (unsaidFunctions(facts).length === 0) return null;
  const note = "uses a later function and does not name it";
  return formsOf(["unsaid", "first-seven"], { source: "profile", note });
}

function byFunctions({ role, level, digestFunctions: numbers }: PeerFacts): Support | null {
  const some = numbers.some((number) => digestFunctionByNumber(number)?.implicit === false);
  if (!some && level === null) return null;
  const later = some || knows(level!.value, FIRST_NAMED);
  const note = "digest functions it announces or uses";
  const evidence: Support["evidence"] = some ? { source: "advertised", note } : level!.evidence;
  if (!later) return formsOf(["first-seven"], evidence);
  const reads = ["named", "first-seven"];
  return { reads, writes: role === "client" ? reads : ["named"], evidence };
}

function formsOf(forms: readonly string[], evidence: Support["evidence"]): Support {
  return { reads: forms, writes: forms, evidence };
}

function naming(method: string, field: number): Use {
  const holds = (payload: Buffer): boolean => payload.length > 1 || payload[0]! > 7;
  const used = { what: LATER, element: FIRST_NAMED, text: "digest_function", path: [field], holds } as const;
  return { in: "request", methods: [method], used };
}

type Used = Pick<UsedThing, "what" | "element">;

function inNames(used: Used, found: (name: ResourceName) => boolean): Use {
  const holds = (payload: Buffer): boolean => {
    const name = parseResourceName(payload.toString());
    return name !== null && found(name);
  };
  const methods = [READ, WRITE, QUERY_WRITE_STATUS];
  return { in: "request", methods, used: { ...used, text: "resource_name", path: [1], holds } };
}

/** Uses of hashes of so many digits, in requests and in names that do not say their function. */
function hashesOf(digits: number, used: Used): Use[] {
  const holds = (payload: Buffer): boolean => payload.length === digits;
  const requests = Object.entries(DIGEST_REQUESTS).map(([method, { digest, text }]): Use => {
    const path = [...digest, 1];
    return { in: "request", methods: [method], used: { ...used, text: `${text}.hash`, path, holds } };
  });
  const names = inNames(used, (name) => name.digestFunction === null && name.digest.hash.length === digits);
  return [...requests, names];
}
