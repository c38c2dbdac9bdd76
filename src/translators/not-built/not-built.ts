/**
 * Owners of what the bridge does not translate yet. Each says, for either side being ahead, why passing does no harm, or refuses by name
 * what would be lost.
 */
import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { type ElementId, knows } from "../../spec/ledger.ts";
import { assumed, pass } from "../declare.ts";
import type { Feature, Reject, Step, Translator } from "../translator.ts";

/** A feature in two forms, in short. */
export interface NotBuilt extends Omit<Feature, "forms">, Pick<Translator, "announce" | "announceIf"> {
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
  /** Peers with the newer form read and write no other: the same bytes mean something else, or the older form is gone. */
  readonly exclusive?: true;
  /** A client in the newer form meets a server of the older one: why that passes, or what is refused. */
  readonly clientAhead: string | Reject;
  /** A server in the newer form meets a client of the older one. */
  readonly serverAhead: string | Reject;
  /** What is refused of the responses of such a server, if its requests are not what is wrong. */
  readonly serverAheadResponses?: Reject;
}

/** The translator that does no more than pass and refuse. */
export function notBuilt(entry: NotBuilt): Translator {
  const { owns, older, newer, marker, assume, exclusive, ...rest } = entry;
  const { clientAhead, serverAhead, serverAheadResponses, announce, announceIf, ...feature } = rest;
  const [before] = older;
  const [since] = newer;
  const forms: Forms = { before, since, exclusive: exclusive === true };
  return {
    feature: { ...feature, forms: { [before]: older[1], [since]: newer[1] } },
    owns,
    after: [],
    clientAhead: summary(clientAhead),
    serverAhead: summary(serverAheadResponses ?? serverAhead),
    support: ({ role, level }) => {
      if (marker === null || level === null) return null;
      return { ...formsOf(role, knows(level.value, marker), forms), evidence: level.evidence };
    },
    assume: {
      client: supposed("client", assume, marker, forms),
      server: supposed("server", assume, marker, forms),
    },
    toServer: { [since]: { [before]: step(clientAhead) }, [before]: { [since]: step(serverAhead) } },
    toClient: {
      [before]: { [since]: pass(typeof clientAhead === "string" ? clientAhead : OLD_ANSWER) },
      [since]: {
        [before]: serverAheadResponses ?? pass(typeof serverAhead === "string" ? serverAhead : NEW_ANSWER),
      },
    },
    ...(announce && { announce }),
    ...(announceIf && { announceIf }),
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
  return typeof ahead === "string" ? `passes: ${ahead}` : `what uses it is refused: ${ahead.fix}`;
}

interface Forms {
  readonly before: string;
  readonly since: string;
  readonly exclusive: boolean;
}

/** The forms of a peer that has the newer one, or has not. */
function formsOf(
  role: PeerFacts["role"],
  newer: boolean,
  { before, since, exclusive }: Forms,
): Omit<Support, "evidence"> {
  if (!newer) return { reads: [before], writes: [before] };
  if (exclusive) return { reads: [since], writes: [since] };
  // A newer client may still use the older form; a newer server answers in the newer one.
  return { reads: [since, before], writes: role === "client" ? [since, before] : [since] };
}

/** Clients are supposed to be the newest, servers to have what all have. */
function supposed(
  role: PeerFacts["role"],
  assume: NotBuilt["assume"],
  marker: NotBuilt["marker"],
  forms: Forms,
): Support {
  const newer = assume === "newer" || (role === "client" && marker !== null);
  const { reads, writes } = formsOf(role, newer, forms);
  return assumed(reads, writes);
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
