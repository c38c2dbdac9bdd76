/** Shorthands for declaring translators. */
import type { Evidence, PeerFacts, Support } from "../peers/dialect.ts";
import { type ElementId, knows } from "../spec/ledger.ts";
import type { Pair, Pass } from "./translator.ts";

/** Lets pass, with the reason. */
export function pass(why: string): Pass {
  return { kind: "pass", why };
}

/** What is supposed of a peer that nobody described. */
export function assumed(reads: readonly string[], writes: readonly string[]): Support {
  return { reads, writes, evidence: ASSUMED };
}

/** Forms of peers that know an element and of those that do not. */
interface ByLevel {
  readonly element: ElementId;
  readonly without: Forms;
  readonly with: Forms;
}

interface Forms {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** A `support` that follows from whether the peer's level knows an element. */
export function byLevel(forms: ByLevel): (facts: PeerFacts) => Support | null {
  return ({ level }) => {
    if (level === null) return null;
    const { reads, writes } = knows(level.value, forms.element) ? forms.with : forms.without;
    return { reads, writes, evidence: level.evidence };
  };
}

/** Whether the two sides may be of different revisions. */
export function mayDiffer({ client, server }: Pair): boolean {
  return client.version === null || client.version !== server.version;
}

const ASSUMED: Evidence = { source: "assumed", note: "nothing is known" };
