/** From what a profile says to what a dialect is made of. */
import { DIGEST_FUNCTIONS } from "../wire/digest-function.ts";
import type { Claim, Evidence, PeerFacts } from "./dialect.ts";
import { methodClaims } from "./method-claims.ts";
import type { ResolvedClient, ResolvedProfile, ResolvedServer } from "./profile.ts";
import { missingMethods } from "./profile-methods.ts";

/** All that a profile says of a peer: what it says of features, and what follows from its other facts. */
export function peerFacts(profile: ResolvedServer): PeerFacts<"server">;
export function peerFacts(profile: ResolvedClient): PeerFacts<"client">;
export function peerFacts(profile: ResolvedProfile): PeerFacts;
export function peerFacts(profile: ResolvedProfile): PeerFacts {
  const { role, facts, features } = profile;
  const evidence: Evidence = { source: "profile", note: `profile ${profile.name}` };
  const stated = Object.entries(features).map(
    ([feature, { evidence: why, ...forms }]): Claim => ({
      feature,
      ...forms,
      evidence: { ...evidence, note: `${evidence.note}: ${why}` },
    }),
  );
  return {
    role,
    name: `${profile.title} ${profile.range}`.trim(),
    facts,
    level: facts.level === undefined ? null : { value: facts.level.is, evidence },
    digestFunctions: digestFunctions(profile),
    missingMethods: role === "server" ? [...missingMethods(profile)] : [],
    claims: [
      ...stated,
      ...(role === "server" ? serverClaims(profile, evidence) : clientClaims(profile, evidence)),
    ],
  };
}

/** Of a server that offers one of several functions, nobody knows which. */
function digestFunctions({ facts, role }: ResolvedProfile): number[] {
  const names: readonly string[] = facts.digestFunctions?.are ?? [];
  if (role === "server" && facts.digestFunctions?.several === false && names.length > 1) return [];
  return names.map((name) => DIGEST_FUNCTIONS.find((known) => known.name === name)!.number);
}

function* serverClaims(server: ResolvedServer, evidence: Evidence): Generator<Claim> {
  const { compressors, batchCompressors, committedSize, readRange, resourceNames } = server.facts;
  const reads = (feature: string, newer: boolean, [old, young]: readonly [string, string]): Claim => ({
    feature,
    reads: newer ? [young, old] : [old],
    evidence,
  });
  const compressed = ["plain", "compressed"] as const;
  if (server.facts.missingMethods !== undefined) {
    const lacking = missingMethods(server);
    for (const claim of methodClaims((path) => !lacking.has(path), evidence))
      yield claim.feature === "get-tree" ? treeClaim(claim, server) : claim;
  }
  if (compressors !== undefined) {
    const { are, unkept = [] } = compressors;
    const kept = are.filter((name) => !unkept.includes(name));
    yield { feature: "compressed-blobs", reads: ["plain", ...segments(kept)], evidence };
  }
  if (batchCompressors !== undefined)
    yield reads("batch-compression", packs(batchCompressors.are), compressed);
  if (resourceNames !== undefined) {
    yield reads("resource-names", resourceNames.functionSegment, ["plain", "extended"]);
  }
  if (committedSize !== undefined) {
    yield { feature: "committed-size", writes: counts(committedSize), evidence };
  }
  if (readRange !== undefined) {
    const { offset, limit } = readRange;
    const forms = [
      ...(offset === "ignored" ? [] : ["offset"]),
      ...(offset === "honoured" ? ["compressed-offset"] : []),
      ...(limit === "honoured" || limit === "refused-compressed" ? ["limit"] : []),
    ];
    yield { feature: "read-range", reads: ["whole", ...forms], evidence };
  }
}

/** What the reply to an upload may say: of one that ends early, -1 unless it is known to be the same. */
function counts({
  counts: usual,
  early,
  existing,
}: NonNullable<ResolvedServer["facts"]["committedSize"]>): string[] {
  const forms = [
    usual,
    ...(early === "same" ? [] : ["minus-one"]),
    ...(existing === "refused" ? [existing] : []),
  ];
  return [...new Set<string>(forms)];
}

/** The forms of compressed blobs that compressors make, as names of blobs spell them. */
function segments(compressors: readonly string[]): string[] {
  return compressors.filter((name) => name !== "IDENTITY").map((name) => name.toLowerCase());
}

/** GetTree that is there, with what the profile says of its pages and directories (D21). */
function treeClaim(claim: Claim, { facts }: ResolvedServer): Claim {
  const { are = "honoured", directories } = facts.treePages ?? {};
  if (!claim.reads?.includes("offered")) return claim;
  if (are !== "honoured") return { ...claim, reads: ["whole", "absent"] };
  return directories === "encoded-again" ? { ...claim, reads: ["recoded", "absent"] } : claim;
}

/** What compressors a server has by configuration only, it says itself. */
function packs(compressors: readonly string[]): boolean {
  return compressors.some((name) => name !== "IDENTITY");
}

function* clientClaims({ facts }: ResolvedClient, evidence: Evidence): Generator<Claim> {
  const { compressors, committedSize, waitExecution } = facts;
  if (compressors !== undefined) {
    const own = segments(compressors.are);
    yield { feature: "compressed-blobs", reads: ["plain", ...own], writes: [...own, "plain"], evidence };
  }
  if (committedSize !== undefined) {
    yield { feature: "committed-size", reads: committedSize.takes, evidence };
  }
  if (waitExecution !== undefined) {
    yield { feature: "wait-execution", writes: [waitExecution.used ? "offered" : "absent"], evidence };
  }
}
