import type { PeerFacts, Support } from "../peers/dialect.ts";
import { type ElementId, knows } from "../spec/ledger.ts";
import { parseResourceName } from "../wire/resource-name.ts";
import { assumed, pass } from "./declare.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  EXECUTE,
  FETCH_BLOB,
  FETCH_DIRECTORY,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_TREE,
  PUSH_BLOB,
  PUSH_DIRECTORY,
  QUERY_WRITE_STATUS,
  READ,
  SPLICE_BLOB,
  SPLIT_BLOB,
  UPDATE_ACTION_RESULT,
  WRITE,
} from "./methods.ts";
import { of } from "./names.ts";
import { refusalOf } from "./refusal.ts";
import type { Feature, MethodHooks, Pair, Step, Translator } from "./translator.ts";

/** Segments that are keywords of resource names: these since 2.0, and one more since 2.3. */
const WORDS = ["blobs", "uploads", "actions", "actionResults", "operations", "capabilities"];
const WORD_OF_23 = "compressed-blobs";

/** Requests with the instance name in field 1, and those with a resource name that begins with it. */
const IN_REQUESTS = [
  EXECUTE,
  GET_ACTION_RESULT,
  UPDATE_ACTION_RESULT,
  FIND_MISSING_BLOBS,
  BATCH_UPDATE_BLOBS,
  BATCH_READ_BLOBS,
  GET_TREE,
  SPLIT_BLOB,
  SPLICE_BLOB,
  FETCH_BLOB,
  FETCH_DIRECTORY,
  PUSH_BLOB,
  PUSH_DIRECTORY,
];
const IN_NAMES = [READ, WRITE, QUERY_WRITE_STATUS];

/** The forms, with the words that each leaves out where it is written, and reserves where it is read. */
const FORMS: Readonly<
  Record<string, { readonly avoids: readonly string[]; readonly reserves: readonly string[] }>
> = {
  free: { avoids: [], reserves: [...WORDS, WORD_OF_23] },
  segments: { avoids: [...WORDS, WORD_OF_23], reserves: [...WORDS, WORD_OF_23] },
  "old-segments": { avoids: WORDS, reserves: WORDS },
  any: { avoids: [], reserves: [] },
  single: { avoids: [...WORDS, WORD_OF_23], reserves: [...WORDS, WORD_OF_23] },
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
  after: ["resource-names", "hash-text"],
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

/** Refuses the words that one form reserves and the other does not leave out; for `single` also slashes where an execution begins. */
function step(from: string, to: string): Step {
  const words = FORMS[to]!.reserves.filter((word) => !FORMS[from]!.avoids.includes(word));
  const slashes = to === "single";
  if (words.length === 0 && !slashes) return pass("no such name has a word that this form reserves");
  const methods: Record<string, MethodHooks> = {};
  for (const path of [...IN_REQUESTS, ...IN_NAMES]) {
    const wanted = { words, slashes: slashes && path === EXECUTE };
    if (words.length === 0 && !wanted.slashes) continue;
    const check = (value: Buffer | null, pair: Pair): Buffer | null => {
      if (value !== null) checkName(value.toString(), path, { ...wanted, from }, pair);
      return value;
    };
    methods[path] = { head: { field: 1, rewrite: check } };
  }
  return { kind: "translate", methods };
}

interface Wanted {
  readonly from: string;
  readonly words: readonly string[];
  readonly slashes: boolean;
}

/** @throws BridgeError for a name that the server would misread. */
function checkName(text: string, path: string, { from, words, slashes }: Wanted, pair: Pair): void {
  const inName = IN_NAMES.includes(path);
  const instance = inName ? (parseResourceName(text)?.instance ?? "") : text;
  const word = instance.split("/").find((segment) => words.includes(segment));
  const waits = slashes && pair.client.facts.waitExecution?.used !== false;
  if (word === undefined && !(waits && instance.includes("/"))) return;
  throw refusalOf(
    { feature: FEATURE },
    {
      code: "name-unsupported",
      has:
        word === undefined
          ? "loses executions of instances with a slash in their name"
          : `reserves ${words.join(", ")}`,
      fix: "rename the instance on its way, with `rename` in a route of the bridge",
    },
    from,
    {
      what:
        word === undefined ? "An instance name with a slash" : `An instance name with the segment ${word}`,
      element: null,
      text: inName ? "resource_name" : "instance_name",
    },
    pair,
  );
}
