/** What is known of a client, as a dialect: one line of one tool, several that it may be, a level, or nothing at all. */
import { isDeepStrictEqual } from "node:util";
import type { Dialect, KnownFacts, PeerFacts, Support } from "../peers/dialect.ts";
import type { ResolvedClient } from "../peers/profile.ts";
import { peerFacts } from "../peers/profile-facts.ts";
import { type ApiWindow, gatedClaims } from "../peers/version-rule.ts";
import type { Level } from "../spec/versions.ts";
import { resolveDialect } from "../translators/resolve-dialect.ts";
import type { Translator } from "../translators/translator.ts";

/** The lines of one client that a call may be from, oldest first and none if nobody knows; or a level of the API. */
export type KnownClient = readonly ResolvedClient[] | Level;

/** The dialect of a client that is told `window`. What several lines write may all come; what they read has to be read by each of them. */
export function clientDialect(
  client: KnownClient,
  window: ApiWindow,
  translators: readonly Translator[],
): Dialect<"client"> {
  if (typeof client === "string" || client.length === 0) {
    return resolveDialect(undescribed(typeof client === "string" ? client : null), translators);
  }
  const [first, ...others] = client.map((line) => {
    const facts = peerFacts(line);
    return resolveDialect({ ...facts, claims: [...gatedClaims(line, window), ...facts.claims] }, translators);
  });
  return others.length === 0 ? first! : { ...others.reduce(combine, first!), name: client[0]!.title };
}

function undescribed(level: Level | null): PeerFacts<"client"> {
  const said = level === null ? null : ({ source: "configured", note: `level ${level}` } as const);
  return {
    role: "client",
    name: level === null ? "the client" : `a client of API ${level}`,
    level: level === null || said === null ? null : { value: level, evidence: said },
    digestFunctions: [],
    missingMethods: [],
    claims: [],
  };
}

function combine(a: Dialect<"client">, b: Dialect<"client">): Dialect<"client"> {
  const features: Record<string, Support> = {};
  for (const [id, one] of Object.entries(a.features)) features[id] = bothOf(one, b.features[id]!);
  return {
    ...a,
    version: a.version === b.version ? a.version : null,
    digestFunctions: [...new Set([...a.digestFunctions, ...b.digestFunctions])],
    features,
    facts: sharedFacts(a.facts, b.facts),
  };
}

function bothOf(a: Support, b: Support): Support {
  const reads = a.reads.filter((form) => b.reads.includes(form));
  const writes = [...new Set([...b.writes, ...a.writes])];
  const both =
    a.together && b.together && writes.length === a.writes.length && writes.length === b.writes.length;
  return {
    // Lines with nothing in common are told apart by their version, or get what the newer one reads.
    reads: reads.length > 0 ? reads : b.reads,
    writes,
    ...(both && { together: true }),
    evidence: b.evidence,
  };
}

function sharedFacts(a: KnownFacts<"client">, b: KnownFacts<"client">): KnownFacts<"client"> {
  const facts = Object.entries(a).filter(([name, fact]) =>
    isDeepStrictEqual(fact, b[name as keyof KnownFacts<"client">]),
  );
  return Object.fromEntries(facts);
}
