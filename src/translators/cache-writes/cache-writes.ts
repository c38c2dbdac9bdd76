import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { knows } from "../../spec/ledger.ts";
import { assumed, pass } from "../declare.ts";
import { UPDATE_ACTION_RESULT } from "../methods.ts";
import { of } from "../names.ts";
import type { Call, Edit, MethodHooks, Step, Translator } from "../translator.ts";
import { announceWrites, saysWrites } from "./announced-writes.ts";
import { answerGiven, noteResult, orGiven } from "./dropped-writes.ts";
import { withContent, withDigests } from "./stored-result.ts";

const MISS = pass("a write that is refused is an error, and a result that is not stored is a miss");
const NOTHING = pass("a client that writes nothing is not concerned");
const EITHER = pass("the server takes results with and without data");
const FULL = pass("a result that is never empty, with its data stored apart, suits every server");

const WITHOUT_DATA = "behaviour:update-without-data";
/** As profiles name it. */
const METHOD = "ActionCache/UpdateActionResult";
/** A client takes whatever the others were given: the form of a result is for the features of its parts. */
const FORMS = ["digests", "inlined", "filled", "needed", "none"];

/**
 * Writing to the action cache (D52): what has to be true of a result before a server stores it. Whether a write is allowed is for the upstream to say (P04), and
 * for the client to hear, with one exception, the only one to what the bridge announces: a client that stops when it is told that it may not write, as
 * Bazel before 6.0 does, is told that it may. Its writes go to the upstream all the same; where that refuses them they are answered as if they had been stored,
 * and the log says so.
 */
export const cacheWrites: Translator = {
  feature: {
    id: "cache-writes",
    title: "Writing to the action cache",
    since: "2.0",
    drift: ["D52", "P04", "P17"],
    why: "Who may write, what is checked and what is returned differs.",
    forms: {
      inlined: "results may hold data, as before 2.3",
      digests: "results name data by digest",
      filled:
        "the same, and a result is never an empty message, which the server would take for a broken one",
      needed: "as inlined, of a client that stops where it may not write",
      none: "nothing is written, or there is no UpdateActionResult",
    },
  },
  owns: [
    "behaviour:update-checks",
    "behaviour:update-may-change",
    "behaviour:update-without-data",
    ...of("ActionCache", "UpdateActionResult"),
    ...of("ActionCacheUpdateCapabilities", "update_enabled"),
    ...of("CacheCapabilities", "action_cache_update_capabilities"),
    ...of("UpdateActionResultRequest", "action_result"),
  ],
  after: ["output-directory-format"],
  clientAhead: "passes; a result that the server would take for a broken one gets the name of a worker",
  serverAhead:
    "data inside of a result are stored as blobs of their own; for a client that stops where it may not write, refused writes are answered",
  support,
  assume: {
    client: assumed(FORMS, ["inlined"]),
    server: assumed(["inlined", "digests", "filled"], ["digests"]),
  },
  toServer: {
    inlined: { digests: storing(withDigests), filled: storing(withContent), needed: EITHER, none: MISS },
    digests: { inlined: EITHER, filled: storing(withContent), needed: EITHER, none: MISS },
    filled: { inlined: FULL, digests: FULL, needed: FULL, none: MISS },
    needed: {
      inlined: needing(null),
      digests: needing(withDigests),
      filled: needing(withContent),
      none: { kind: "translate", methods: { [UPDATE_ACTION_RESULT]: { answer: answerGiven } } },
    },
    none: { inlined: NOTHING, digests: NOTHING, filled: NOTHING, needed: NOTHING },
  },
  toClient: pass("a result that a server returns is in the form that looking it up gives"),
  announce: announceWrites,
  announceIf: saysWrites,
};

function support(facts: PeerFacts): Support | null {
  return facts.role === "client" ? ofClient(facts as PeerFacts<"client">) : ofServer(facts);
}

/** A client whose profile says that it writes nothing has nothing to be translated. */
function ofClient({ level, facts }: PeerFacts<"client">): Support | null {
  const { cacheWrites: stated, calls } = facts ?? {};
  const profiled = (form: string, evidence: string): Support => {
    const note = `cache writes: ${evidence}`;
    return { reads: FORMS, writes: [form], evidence: { source: "profile", note } };
  };
  if (stated?.needed === true) return profiled("needed", stated.evidence);
  if (stated?.made === false) return profiled("none", stated.evidence);
  if (stated === undefined && calls !== undefined) {
    const { required, execution = [], optional = [] } = calls;
    if (![...required, ...execution, ...optional].includes(METHOD)) return profiled("none", calls.evidence);
  }
  if (level === null) return null;
  const form = knows(level.value, WITHOUT_DATA) ? "digests" : "inlined";
  return { reads: FORMS, writes: [form], evidence: level.evidence };
}

function ofServer({ level, missingMethods }: PeerFacts): Support | null {
  if (missingMethods.includes(UPDATE_ACTION_RESULT)) {
    const note = "it is known to lack UpdateActionResult";
    return { reads: ["none"], writes: ["none"], evidence: { source: "profile", note } };
  }
  if (level === null) return null;
  const reads = [...(knows(level.value, WITHOUT_DATA) ? [] : ["inlined"]), "digests", "filled"];
  return { reads, writes: ["digests"], evidence: level.evidence };
}

type RequestHook = (request: Buffer, call: Call) => Promise<Edit>;

function storing(request: RequestHook): Step {
  return { kind: "translate", methods: { [UPDATE_ACTION_RESULT]: { request } } };
}

/** What the server has to be given, and the answer where it refuses. */
function needing(edit: RequestHook | null): Step {
  const hooks: MethodHooks = {
    request: (request, call) => {
      noteResult(request, call);
      return edit?.(request, call) ?? null;
    },
    stream: { response: orGiven },
  };
  return { kind: "translate", methods: { [UPDATE_ACTION_RESULT]: hooks } };
}
