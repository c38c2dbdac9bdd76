/** What is certain of a server that is one of several known ones: what all of them have in common. */
import { isDeepStrictEqual } from "node:util";
import type { Claim, Evidence, PeerFacts } from "./dialect.ts";
import type { FeatureClaims, ResolvedServer } from "./profile.ts";
import { peerFacts } from "./profile-facts.ts";

/** What candidates have in common, and in what they differ. */
export interface CommonPart {
  /** The facts that all of them state in the same way. */
  readonly facts: ResolvedServer["facts"];
  /** The features of which all of them say the same. */
  readonly features: FeatureClaims;
  /** Names of facts and features in which they differ, one of them being silent included: what a configured profile would settle. */
  readonly undecided: readonly string[];
  /** The peers they are of, by name, in the order given. */
  readonly peers: readonly string[];
}

/** What the candidates have in common, whatever the evidence of each; nothing of none. */
export function commonPart(candidates: readonly ResolvedServer[]): CommonPart {
  const facts = split(candidates.map((candidate) => candidate.facts));
  const features = split(candidates.map((candidate) => candidate.features));
  return {
    facts: facts.common,
    features: features.common,
    undecided: [...facts.different, ...features.different].sort(),
    peers: [...new Set(candidates.map(({ peer }) => peer))],
  };
}

/**
 * All that is certain of a server by its candidates, as a peer: levels, digest functions and claims that all have, and the methods that
 * all lack. Where they read different forms of a feature, those that all of them read; what any of them may write is to be expected. Null
 * without candidates.
 */
export function recognisedFacts(candidates: readonly ResolvedServer[]): PeerFacts<"server"> | null {
  const [first, ...others] = candidates.map((candidate) => peerFacts(candidate));
  if (first === undefined) return null;
  if (others.length === 0) return first;
  const evidence: Evidence = {
    source: "profile",
    note: `recognised as ${either(candidates.map(({ name }) => name))}`,
  };
  const { level, digestFunctions, missingMethods, claims } = first;
  const isShared = (of: (each: PeerFacts) => unknown): boolean =>
    others.every((other) => isDeepStrictEqual(of(other), of(first)));
  return {
    role: "server",
    name: nameOf(candidates),
    level: level !== null && isShared((each) => each.level?.value) ? { value: level.value, evidence } : null,
    digestFunctions: isShared((each) => each.digestFunctions) ? digestFunctions : [],
    missingMethods: missingMethods.filter((path) =>
      others.every((other) => other.missingMethods.includes(path)),
    ),
    claims: claims.flatMap((claim) => {
      const same = others.map((other) => other.claims.find(({ feature }) => feature === claim.feature));
      return same.every((one) => one !== undefined) ? sharedClaim([claim, ...same], evidence) : [];
    }),
    facts: commonPart(candidates).facts,
  };
}

/** `Buildbarn` for several ranges of one peer, `Buildbarn or bb_clientd` for two peers. */
function nameOf(candidates: readonly ResolvedServer[]): string {
  return either([...new Set(candidates.map(({ title }) => title))]);
}

function either(names: readonly string[]): string {
  const [last, ...before] = [...names].reverse();
  return before.length === 0 ? last! : `${before.reverse().join(", ")} or ${last}`;
}

/** What holds of peers that claim this of one feature; nothing where they have no form in common to read, and do not write the same. */
function sharedClaim(claims: readonly Claim[], evidence: Evidence): Claim[] {
  const { feature, reads: first = [] } = claims[0]!;
  const reads = first.filter((form) => claims.every((claim) => claim.reads?.includes(form)));
  const writes = claims.every((claim) => claim.writes !== undefined)
    ? [...new Set(claims.flatMap((claim) => claim.writes!))]
    : [];
  if (reads.length === 0 && writes.length === 0) return [];
  return [{ feature, ...(reads.length > 0 && { reads }), ...(writes.length > 0 && { writes }), evidence }];
}

interface Split<T> {
  readonly common: T;
  readonly different: readonly string[];
}

/** The members that are equal in all but for their evidence, as the last one has them. */
function split<T extends object>(all: readonly T[]): Split<T> {
  const names = new Set(all.flatMap((each) => Object.keys(each))) as Set<keyof T & string>;
  const plain = (value: unknown): unknown => ({ ...(value as object), evidence: null });
  const isShared = (name: keyof T): boolean =>
    all.every((each) => name in each && isDeepStrictEqual(plain(each[name]), plain(all[0]![name])));
  const [shared, different] = [[...names].filter(isShared), [...names].filter((name) => !isShared(name))];
  const last = all.at(-1);
  return { common: Object.fromEntries(shared.map((name) => [name, last![name]])) as T, different };
}
