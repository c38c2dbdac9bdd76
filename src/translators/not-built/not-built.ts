/**
 * Owners of what the bridge does not translate yet. Each says, for either side being ahead, why passing does no harm, or refuses by name
 * what would be lost.
 */
import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { type ElementId, knows } from "../../spec/ledger.ts";
import { assumed, pass } from "../declare.ts";
import type { Feature, Reject, Step, Translator } from "../translator.ts";

/** A feature in two forms, in short. */
export interface NotBuilt extends Omit<Feature, "forms"> {
  readonly owns: readonly ElementId[];
  /** The names of the two forms and what they are. */
  readonly older: readonly [form: string, line: string];
  readonly newer: readonly [form: string, line: string];
  /**
   * Peers whose level knows this element have the newer form, and read the older one as well; null where the level tells nothing and only
   * configuration, probes and profiles do.
   */
  readonly marker: ElementId | null;
  /** What is supposed of peers that nobody described: the older form, unless said otherwise. */
  readonly assume?: "newer";
  /** A client in the newer form meets a server of the older one: why that passes, or what is refused. */
  readonly clientAhead: string | Reject;
  /** A server in the newer form meets a client of the older one. */
  readonly serverAhead: string | Reject;
  /** What is refused of the responses of such a server, if its requests are not what is wrong. */
  readonly serverAheadResponses?: Reject;
}

/** The translator that does no more than pass and refuse. */
export function notBuilt(entry: NotBuilt): Translator {
  const { owns, older, newer, marker, clientAhead, serverAhead, serverAheadResponses, ...rest } = entry;
  const [before] = older;
  const [since] = newer;
  const { assume, ...feature } = rest;
  const known = assume === "newer" ? [since, before] : [before];
  return {
    feature: { ...feature, forms: { [before]: older[1], [since]: newer[1] } },
    owns,
    after: [],
    clientAhead: summary(clientAhead),
    serverAhead: summary(serverAheadResponses ?? serverAhead),
    support: (facts) => (marker === null ? null : supportAt(facts, marker, before, since)),
    assume: {
      client: assumed([since, before], known),
      server: assumed(known, known.slice(0, 1)),
    },
    toServer: { [since]: { [before]: step(clientAhead) }, [before]: { [since]: step(serverAhead) } },
    toClient: {
      [before]: { [since]: pass(typeof clientAhead === "string" ? clientAhead : OLD_ANSWER) },
      [since]: {
        [before]: serverAheadResponses ?? pass(typeof serverAhead === "string" ? serverAhead : NEW_ANSWER),
      },
    },
  };
}

const OLD_ANSWER =
  "what the client must not use is refused on its way to the server; answers of the older form are complete";
const NEW_ANSWER =
  "what the client must not use is refused on its way to the server; answers come to calls that were served";

function step(ahead: string | Reject): Step {
  return typeof ahead === "string" ? pass(ahead) : ahead;
}

function summary(ahead: string | Reject): string {
  return typeof ahead === "string"
    ? `passes: ${ahead}`
    : `refused where it is used: the other side ${ahead.has}`;
}

function supportAt(
  { role, level }: PeerFacts,
  marker: ElementId,
  before: string,
  since: string,
): Support | null {
  if (level === null) return null;
  if (!knows(level.value, marker)) return { reads: [before], writes: [before], evidence: level.evidence };
  // A newer client may still use the older form; a newer server answers in the newer one.
  const writes = role === "client" ? [since, before] : [since];
  return { reads: [since, before], writes, evidence: level.evidence };
}

/** A refusal of whole methods. */
export function lacks(
  methods: readonly string[],
  element: ElementId | null,
  what: string,
  fix: string,
): Reject {
  const used = { what, element, text: null };
  return {
    kind: "reject",
    code: "method-unsupported",
    has: "does not have it",
    fix,
    uses: [{ in: "call", methods, used }],
  };
}
