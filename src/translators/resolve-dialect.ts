/** From what is known of a peer to its dialect. */
import { didYouMean } from "../config/did-you-mean.ts";
import type { Claim, Dialect, KnownFacts, PeerFacts, Support } from "../peers/dialect.ts";
import type { Role } from "../peers/profile.ts";
import type { Translator } from "./translator.ts";

/**
 * The dialect of a peer: for each feature the first claim about what it reads and about what it writes, else what the translator makes of its level
 * or digest functions, else what is correct for every peer.
 * @throws RangeError for a claim about a feature or form that does not exist, or of no form at all.
 */
export function resolveDialect<R extends Role>(
  facts: PeerFacts<R>,
  translators: readonly Translator[],
): Dialect<R> {
  for (const claim of facts.claims) checkClaim(claim, translators);
  const features = Object.fromEntries(
    translators.map((translator) => [translator.feature.id, supportOf(facts, translator)]),
  );
  const { role, name, digestFunctions, missingMethods, level, facts: known } = facts;
  return {
    role,
    name,
    version: level?.value ?? null,
    digestFunctions,
    missingMethods,
    features,
    facts: known ?? ({} as KnownFacts<R>),
  };
}

function supportOf(facts: PeerFacts, translator: Translator): Support {
  const claims = facts.claims.filter(({ feature }) => feature === translator.feature.id);
  const basis = translator.support(facts) ?? translator.assume[facts.role];
  const reads = claims.find((claim) => claim.reads !== undefined);
  const writes = claims.find((claim) => claim.writes !== undefined);
  return {
    reads: reads?.reads ?? basis.reads,
    writes: writes?.writes ?? basis.writes,
    ...(writes?.together && { together: true }),
    evidence: (reads ?? writes)?.evidence ?? basis.evidence,
  };
}

function checkClaim(claim: Claim, translators: readonly Translator[]): void {
  const { feature, reads, writes, evidence } = claim;
  const known = translators.find((translator) => translator.feature.id === feature)?.feature;
  if (known === undefined) {
    const ids = translators.map((translator) => translator.feature.id);
    throw new RangeError(
      `${evidence.note}: there is no feature called ${feature}${didYouMean(feature, ids)}`,
    );
  }
  const forms = Object.keys(known.forms);
  const wrong = [...(reads ?? []), ...(writes ?? [])].find((form) => !forms.includes(form));
  if (wrong !== undefined) {
    throw new RangeError(
      `${evidence.note}: ${feature} has no form called ${wrong}; its forms are ${forms.join(", ")}`,
    );
  }
  if (reads?.length === 0 || writes?.length === 0) {
    throw new RangeError(
      `${evidence.note}: ${feature} needs a form to read and to write; its forms are ${forms.join(", ")}`,
    );
  }
}
