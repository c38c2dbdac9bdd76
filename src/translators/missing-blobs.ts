import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { assumed, pass } from "./declare.ts";
import type { Step, Translator } from "./translator.ts";
import { unsaidFunctions } from "./unsaid-functions.ts";

const SAME = pass("for the first seven functions nothing changed, and older peers have no others");
const SEARCHED: Step = { kind: "translate", operations: { missing: "searched" } };
const SHORTENED: Step = { kind: "translate", operations: { subjects: "short" } };
const BOTH: Step = { kind: "translate", operations: { missing: "searched", subjects: "short" } };
const FROM_SERVER = pass("clients name no missing blobs");

/**
 * How a server tells that blobs of an action are missing (D07, lift L11): clients upload again only what is named by a MISSING violation. For servers that tell it by
 * text, or by NOT_FOUND, the bridge asks which blobs of the action are missing and names them.
 */
export const missingBlobs: Translator = {
  feature: {
    id: "missing-blobs",
    title: "How a server names missing blobs",
    since: "2.5",
    drift: ["D07"],
    why: "Clients upload again only what an error names in the way they know; else a build fails that a second upload would mend.",
    forms: {
      short: "violations with the subject blobs/{hash}/{size}",
      "with-function": "also with the digest function, where it is newer than the first seven",
      "always-short": "the subject blobs/{hash}/{size}, whatever the digest function",
      text: "FAILED_PRECONDITION with a text only",
      "not-found": "NOT_FOUND, without saying which",
    },
  },
  owns: ["behaviour:missing-blob-details", "behaviour:missing-blob-function"],
  after: [],
  clientAhead: "missing blobs are looked for, and named in the details",
  serverAhead:
    "a subject has the function only for functions that older clients do not use; a client that does, and does not name it, gets subjects without",
  support,
  assume: {
    client: assumed(["with-function", "short"], ["short"]),
    server: assumed(["short"], ["short"]),
  },
  toServer: FROM_SERVER,
  toClient: {
    short: { "with-function": SAME, "always-short": SAME, text: SAME, "not-found": SAME },
    "with-function": { short: SAME, "always-short": SHORTENED, text: SAME, "not-found": SAME },
    "always-short": { short: SAME, "with-function": SAME, text: SAME, "not-found": SAME },
    text: { short: SEARCHED, "with-function": SEARCHED, "always-short": BOTH, "not-found": SEARCHED },
    "not-found": { short: SEARCHED, "with-function": SEARCHED, "always-short": BOTH, text: SEARCHED },
  },
};

function support(peer: PeerFacts): Support | null {
  const { role, level, facts } = peer;
  const told =
    role === "server" && facts !== undefined && "missingInputs" in facts ? facts.missingInputs : null;
  if (told != null && "as" in told && told.as !== "missing") {
    return { reads: ["short"], writes: [told.as], evidence: { source: "profile", note: told.evidence } };
  }
  if (level === null) return null;
  if (unsaidFunctions(peer).length > 0)
    return { reads: ["always-short"], writes: ["short"], evidence: level.evidence };
  const forms = knows(level.value, "behaviour:missing-blob-function")
    ? ["with-function", "short"]
    : ["short"];
  return { reads: forms, writes: [forms[0]!], evidence: level.evidence };
}
