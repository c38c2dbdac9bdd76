/** From what a profile says to what a dialect is made of. */
import { allMethods } from "../spec/methods.ts";
import { DIGEST_FUNCTIONS } from "../wire/digest-function.ts";
import type { Claim, Evidence, PeerFacts } from "./dialect.ts";
import type { ResolvedClient, ResolvedProfile, ResolvedServer } from "./profile.ts";

/** A feature that is a matter of methods: its first form where one of them is missing, its second one elsewhere. */
interface ByMethod {
  readonly feature: string;
  readonly forms: readonly [older: string, newer: string];
  readonly methods: readonly string[];
}

const ABSENT_OR_OFFERED = ["absent", "offered"] as const;
const STORAGE = "ContentAddressableStorage";
const BY_METHOD: readonly ByMethod[] = [
  { feature: "asset-service", forms: ABSENT_OR_OFFERED, methods: ["Fetch/FetchBlob"] },
  {
    feature: "batch-methods",
    forms: ["streams", "batches"],
    methods: [`${STORAGE}/BatchReadBlobs`, `${STORAGE}/BatchUpdateBlobs`],
  },
  { feature: "capabilities-service", forms: ABSENT_OR_OFFERED, methods: ["Capabilities/GetCapabilities"] },
  {
    feature: "chunking",
    forms: ["whole", "chunks"],
    methods: [`${STORAGE}/SplitBlob`, `${STORAGE}/SpliceBlob`],
  },
  { feature: "get-tree", forms: ABSENT_OR_OFFERED, methods: [`${STORAGE}/GetTree`] },
  { feature: "wait-execution", forms: ABSENT_OR_OFFERED, methods: ["Execution/WaitExecution"] },
];

/** All that a profile says of a peer: what it says of features, and what follows from its other facts. */
export function peerFacts(profile: ResolvedServer): PeerFacts<"server">;
export function peerFacts(profile: ResolvedClient): PeerFacts<"client">;
export function peerFacts(profile: ResolvedProfile): PeerFacts;
export function peerFacts(profile: ResolvedProfile): PeerFacts {
  const { role, facts, features } = profile;
  const evidence: Evidence = { source: "profile", note: `profile ${profile.name}` };
  const stated = Object.entries(features).map(
    ([feature, { evidence: why, together: _, ...forms }]): Claim => ({
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
    missingMethods: role === "server" ? [...missing(profile)] : [],
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

/** Paths of the methods that are missing whatever the configuration. */
function missing({ facts }: ResolvedServer): Set<string> {
  return new Set(facts.missingMethods?.are.flatMap(pathsOf));
}

/** Paths of a method as profiles write it: `ContentAddressableStorage/GetTree`, or `Fetch/*` for all of a service. */
function pathsOf(pattern: string): string[] {
  const paths = [...allMethods()].map(({ path }) => path);
  const [service, method] = pattern.split("/");
  return paths.filter(
    (path) => path.includes(`.${service}/`) && (method === "*" || path.endsWith(`/${method}`)),
  );
}

function* serverClaims(server: ResolvedServer, evidence: Evidence): Generator<Claim> {
  const { compressors, batchCompressors, committedSize, resourceNames, missingMethods } = server.facts;
  const reads = (feature: string, newer: boolean, [old, young]: readonly [string, string]): Claim => ({
    feature,
    reads: newer ? [young, old] : [old],
    evidence,
  });
  const compressed = ["plain", "compressed"] as const;
  if (missingMethods !== undefined) {
    const lacking = missing(server);
    for (const { feature, forms, methods } of BY_METHOD) {
      const complete = !methods.flatMap(pathsOf).some((path) => lacking.has(path));
      yield reads(feature, complete, forms);
    }
  }
  if (compressors !== undefined) yield reads("compressed-blobs", packs(compressors.are), compressed);
  if (batchCompressors !== undefined)
    yield reads("batch-compression", packs(batchCompressors.are), compressed);
  if (resourceNames !== undefined) {
    yield reads("resource-names", resourceNames.functionSegment, ["plain", "extended"]);
  }
  if (committedSize !== undefined) {
    yield {
      feature: "committed-size",
      writes: [committedSize.counts === "blob" ? "plain" : "compressed"],
      evidence,
    };
  }
}

/** What compressors a server has by configuration only, it says itself. */
function packs(compressors: readonly string[]): boolean {
  return compressors.some((name) => name !== "IDENTITY");
}

function* clientClaims({ facts }: ResolvedClient, evidence: Evidence): Generator<Claim> {
  const { compressors, committedSize, waitExecution } = facts;
  if (compressors !== undefined) {
    const forms = packs(compressors.are) ? ["compressed", "plain"] : ["plain"];
    yield { feature: "compressed-blobs", reads: forms, writes: forms, evidence };
  }
  if (committedSize !== undefined) {
    const takes = committedSize.takes.map((counts) => (counts === "blob" ? "plain" : "compressed"));
    yield { feature: "committed-size", reads: [...new Set(takes)], evidence };
  }
  if (waitExecution !== undefined) {
    yield { feature: "wait-execution", writes: [waitExecution.used ? "offered" : "absent"], evidence };
  }
}
