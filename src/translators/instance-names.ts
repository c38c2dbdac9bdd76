import type { PeerFacts, Support } from "../peers/dialect.ts";
import { type ElementId, knows } from "../spec/ledger.ts";
import { RESERVED_SEGMENTS, RESERVED_SINCE_2_3 } from "../wire/reserved-segments.ts";
import { parseResourceName } from "../wire/resource-name.ts";
import { assumed, pass } from "./declare.ts";
import { EXECUTE, QUERY_WRITE_STATUS, READ, WRITE } from "./methods.ts";
import { of } from "./names.ts";
import { refusalOf } from "./refusal.ts";
import type { Feature, Pair, Reject, Step, Translator } from "./translator.ts";

/** Segments that are keywords of resource names since 2.3. */
const WORDS = [...RESERVED_SEGMENTS, RESERVED_SINCE_2_3];

/** Requests with a resource name that begins with the instance. */
const IN_NAMES = [READ, WRITE, QUERY_WRITE_STATUS];

const CODE = "name-unsupported";
const FIX = "rename the instance on its way, with `rename` in a route of the bridge";

/** The forms, with the words that each leaves out where it is written, and reserves where it is read. */
const FORMS: Readonly<
  Record<string, { readonly avoids: readonly string[]; readonly reserves: readonly string[] }>
> = {
  free: { avoids: [], reserves: WORDS },
  segments: { avoids: WORDS, reserves: WORDS },
  "old-segments": { avoids: RESERVED_SEGMENTS, reserves: RESERVED_SEGMENTS },
  any: { avoids: [], reserves: [] },
  single: { avoids: WORDS, reserves: WORDS },
};

const FEATURE: Feature = {
  id: "instance-names",
  title: "Names of instances",
  since: "2.8",
  drift: ["D14"],
  why: "Some segments are reserved, by revision and by server; a server that misreads a name stores blobs elsewhere.",
  forms: {
    free: "whatever the server takes, since 2.8",
    segments: "segments between slashes, none of them a word of resource names, since 2.3",
    "old-segments": "the same, where compressed-blobs is no such word",
    any: "any text, from before there were reserved words",
    single: "one segment, where an execution is waited for",
  },
};

/**
 * The names of instances (D14). One that the server would take for the beginning of something else is refused before anything is stored under it;
 * which other names it takes is the server's business.
 */
export const instanceNames: Translator = {
  feature: FEATURE,
  owns: [
    "behaviour:reserved-segments",
    "behaviour:free-instance-names",
    ...["ExecuteRequest", "GetActionResultRequest", "UpdateActionResultRequest"].flatMap((message) =>
      of(message, "instance_name"),
    ),
  ],
  after: [],
  clientAhead: "a name with a word that the server reserves is refused; every other passes",
  serverAhead:
    "a name with a word that became reserved after the client's revision is refused; every other passes",
  support: (facts) => stated(facts) ?? byRevision(facts),
  assume: {
    client: assumed(["free"], ["free"]),
    server: assumed(["free", "any", "segments", "old-segments"], ["free"]),
  },
  toServer: Object.fromEntries(
    Object.keys(FORMS).map((from) => {
      const others = Object.keys(FORMS).filter((to) => to !== from);
      return [from, Object.fromEntries(others.map((to) => [to, step(from, to)]))];
    }),
  ),
  toClient: pass("no response names an instance"),
};

/** What a profile says of the server counts before its revision. */
function stated({ role, facts }: PeerFacts): Support | null {
  const names = role === "server" ? (facts as PeerFacts<"server">["facts"])?.instanceNames : undefined;
  if (names === undefined) return null;
  const evidence = { source: "profile", note: `instance names: ${names.evidence}` } as const;
  if (names.slashes === "break-wait-execution") return { reads: ["single"], writes: ["single"], evidence };
  if (names.reservedWords === "end-the-name") return { reads: ["segments"], writes: ["segments"], evidence };
  return null;
}

function byRevision({ role, level }: PeerFacts): Support | null {
  if (level === null) return null;
  const { value, evidence } = level;
  const has = (element: ElementId): boolean => knows(value, element);
  if (!has("behaviour:reserved-segments")) {
    const reads = role === "server" ? ["any", "free", "segments", "old-segments"] : ["any"];
    return { reads, writes: ["any"], evidence };
  }
  if (has("behaviour:free-instance-names"))
    return { reads: ["free", "segments"], writes: ["free"], evidence };
  if (has("behaviour:compressed-names")) return { reads: ["segments"], writes: ["segments"], evidence };
  return { reads: ["old-segments", "segments"], writes: ["old-segments"], evidence };
}

/**
 * Refuses names of blobs with the words that one form reserves and the other does not leave out: in requests the instance has a field of its own,
 * where nothing can be taken for anything else. For `single` refuses slashes where an execution begins.
 */
function step(from: string, to: string): Step {
  const words = FORMS[to]!.reserves.filter((word) => !FORMS[from]!.avoids.includes(word));
  const refuse = words.length === 0 ? null : refusing(words);
  if (to !== "single") return refuse ?? pass("no such name has a word that this form reserves");
  const rewrite = (value: Buffer | null, pair: Pair): Buffer | null => {
    if (value !== null && pair.client.facts.waitExecution?.used !== false) checkSlashes(value, from, pair);
    return value;
  };
  const methods = { [EXECUTE]: { head: { field: 1, rewrite } } };
  return { kind: "translate", methods, ...(refuse !== null && { refuse }) };
}

function refusing(words: readonly string[]): Reject {
  const marks = words.map((word) => Buffer.from(word));
  const holds = (payload: Buffer): boolean => {
    // Most names have no such word anywhere, which is found sooner than their parts.
    if (!marks.some((mark) => payload.includes(mark))) return false;
    const instance = parseResourceName(payload.toString())?.instance ?? "";
    return instance !== "" && instance.split("/").some((segment) => words.includes(segment));
  };
  const segments = words.length === 1 ? `the segment ${words[0]}` : `one of the segments ${words.join(", ")}`;
  const what = `An instance name with ${segments}`;
  const used = { what, element: null, text: "resource_name", path: [1], holds };
  return {
    kind: "reject",
    code: CODE,
    has: `reserves ${words.join(", ")}`,
    fix: FIX,
    uses: [{ in: "request", methods: IN_NAMES, used }],
    unusual: true,
  };
}

/** @throws BridgeError for a name that the server would lose executions of. */
function checkSlashes(name: Buffer, from: string, pair: Pair): void {
  if (!name.includes("/")) return;
  const has = "loses executions of instances with a slash in their name";
  const used = { what: "An instance name with a slash", element: null, text: "instance_name" };
  throw refusalOf({ feature: FEATURE }, { code: CODE, has, fix: FIX }, from, used, pair);
}
