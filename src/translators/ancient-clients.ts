import type { PeerFacts, Support } from "../peers/dialect.ts";
import { Take } from "../wire/field-scanner.ts";
import { WireType } from "../wire/walker.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { EXECUTE } from "./methods.ts";
import { refusalOf } from "./refusal.ts";
import type { Feature, Pair, Reject, RequestScan, Translate, Translator } from "./translator.ts";

const PACKAGE = "google.devtools.remoteexecution.v1test";

/** The methods of the first version of the API, which is in no ledger. */
const V1TEST = [
  "Execution/Execute",
  "ActionCache/GetActionResult",
  "ActionCache/UpdateActionResult",
  "ContentAddressableStorage/FindMissingBlobs",
  "ContentAddressableStorage/BatchUpdateBlobs",
  "ContentAddressableStorage/GetTree",
].map((method) => `/${PACKAGE}.${method}`);

const FIX = "use a client from after July 2018, such as Bazel 0.17";

/** Field numbers of ExecuteRequest: the Action of the old layout, and its digest in the one since. */
const ACTION = 2;
const ACTION_DIGEST = 6;
const HASH = 1;

const FEATURE: Feature = {
  id: "ancient-clients",
  title: "Clients from before July 2018",
  since: "2018-11",
  drift: ["D58"],
  why: "They call services that are gone, or send an Action where its digest is read.",
  forms: {
    "by-digest": "ExecuteRequest names the Action by its digest",
    inline: "ExecuteRequest holds the Action, in the first weeks of version 2",
    v1test: `the package ${PACKAGE}`,
  },
};

const NO_SERVER = pass("of such a server every method is known to be missing, and refused by name");

const REFUSED: Reject = {
  kind: "reject",
  code: "method-unsupported",
  has: "has version 2 of the API",
  fix: FIX,
  uses: [
    { in: "call", methods: V1TEST, used: { what: `The package ${PACKAGE}`, element: null, text: null } },
  ],
};

/**
 * Clients from before the layout of July 2018 (D58). What they say has no counterpart that a server of today could be sent, so they are told which client
 * to use: whoever calls the package of version 1, and whoever sends an Action in place of its digest. A client that is known is of later times.
 */
export const ancientClients: Translator = {
  feature: FEATURE,
  owns: ["behaviour:action-by-digest"],
  after: [],
  clientAhead: `passes: ${NO_SERVER.why}`,
  serverAhead: `what such a client says is refused: ${FIX}`,
  support: (facts) => stated(facts) ?? byRevision(facts),
  assume: {
    client: assumed(["by-digest"], ["by-digest", "inline", "v1test"]),
    server: assumed(["by-digest"], ["by-digest"]),
  },
  toServer: {
    "by-digest": { inline: NO_SERVER, v1test: NO_SERVER },
    inline: { "by-digest": refusingActions(), v1test: refusingActions() },
    v1test: { "by-digest": REFUSED, inline: REFUSED },
  },
  toClient: pass("who is refused gets no answer to read"),
};

const BY_DIGEST = { reads: ["by-digest"], writes: ["by-digest"] };
const byRevision = byLevel({ element: "behaviour:action-by-digest", without: BY_DIGEST, with: BY_DIGEST });

/** A server that has version 1 beside version 2, as its profile says. */
function stated({ role, facts }: PeerFacts): Support | null {
  const services = role === "server" ? (facts as PeerFacts<"server">["facts"])?.vendorServices : undefined;
  if (services === undefined || !services.are.some((name) => name.startsWith(`${PACKAGE}.`))) return null;
  const evidence = { source: "profile", note: `services: ${services.evidence}` } as const;
  return { reads: ["by-digest", "v1test"], writes: ["by-digest"], evidence };
}

function refusingActions(): Translate {
  return { kind: "translate", methods: { [EXECUTE]: { scan: (pair) => new ActionScan(pair) } } };
}

/** Refuses an ExecuteRequest that has an Action and no hash of one. An unknown field of that number beside a digest passes. */
class ActionScan implements RequestScan {
  private readonly pair: Pair;
  private hasAction = false;
  private hasHash = false;

  constructor(pair: Pair) {
    this.pair = pair;
  }

  field(number: number, wireType: number, length: number, depth: number): number {
    if (wireType !== WireType.LEN) return Take.SKIP;
    if (depth > 0) this.hasHash ||= number === HASH && length > 0;
    else if (number === ACTION) this.hasAction = true;
    return depth === 0 && number === ACTION_DIGEST ? Take.ENTER : Take.SKIP;
  }

  value(): void {
    // Nothing is gathered.
  }

  complete(): void {
    if (!this.hasAction || this.hasHash) return;
    throw refusalOf(
      { feature: FEATURE },
      { code: "client-too-old", has: "reads actions by their digest only", fix: FIX },
      "inline",
      { what: "An Action inside of ExecuteRequest", element: null, text: "action_digest" },
      this.pair,
    );
  }
}
