/** What is known of a server, from all that tells: configured > advertised > probed > profile > assumed, for each feature by itself. */
import { enums } from "../spec/generated/enums.ts";
import { knows } from "../spec/ledger.ts";
import { announcedVersion, type Level } from "../spec/versions.ts";
import type { Advertised, ApiVersion } from "./advertised.ts";
import type { Claim, Evidence, PeerFacts } from "./dialect.ts";
import { chunkingClaim } from "./method-claims.ts";
import type { ResolvedServer, ServerFacts } from "./profile.ts";
import { peerFacts } from "./profile-facts.ts";
import { compareVersions } from "./version-range.ts";

/** Everything that tells of one server, for one instance name. */
export interface ServerEvidence {
  /** Its address, or what messages call it while nobody knows better. */
  readonly display: string;
  /** The profile that the operator names. */
  readonly configured: ResolvedServer | null;
  /** The profile, or what several have in common, that its answers gave away. */
  readonly recognised: PeerFacts<"server"> | null;
  /** What it answered to GetCapabilities; null where it was not asked or did not answer. */
  readonly advertised: Advertised | null;
  /** What its answers to harmless calls tell of its methods. */
  readonly probed: Pick<PeerFacts, "missingMethods" | "claims">;
}

const STORAGE = "/build.bazel.remote.execution.v2.ContentAddressableStorage";
const SPLIT_BLOB = `${STORAGE}/SplitBlob`;
const SPLICE_BLOB = `${STORAGE}/SpliceBlob`;

const NOTHING = { missingMethods: [], claims: [] };

/** Nothing is known of the server at `display`. */
export function unknownServer(display: string): ServerEvidence {
  return { display, configured: null, recognised: null, advertised: null, probed: NOTHING };
}

/**
 * The facts of a server, ready to be made into a dialect. What a server announces of its compressors, digest functions and versions is so,
 * whatever its profile says; the level its version stands for is weaker than a profile, as announced and real versions differ (D02).
 */
export function serverFacts(known: ServerEvidence): PeerFacts<"server"> {
  const { display, configured, recognised, advertised, probed } = known;
  const profile = configured === null ? recognised : asConfigured(peerFacts(configured));
  const functions = advertised?.storeFunctions ?? [];
  const claims = profile?.claims ?? [];
  const missingMethods = [...new Set([...(profile?.missingMethods ?? []), ...probed.missingMethods])];
  return {
    role: "server",
    name: profile?.name ?? display,
    level: profile?.level ?? levelOf(advertised),
    digestFunctions: functions.length > 0 ? functions : (profile?.digestFunctions ?? []),
    missingMethods,
    claims: [
      // An endpoint that does not answer for the store says nothing of it (D01).
      ...(advertised?.statesStore === true
        ? [
            ...announcedClaims(advertised, profile?.facts?.compressors?.unkept ?? []),
            ...announcedChunking(advertised, missingMethods),
          ]
        : []),
      ...(configured === null
        ? [...probedBesides(claims, probed), ...claims]
        : [...claims, ...probed.claims]),
      ...leftBehind(advertised),
    ],
    facts: { ...profile?.facts, ...(advertised !== null && announcedFacts(advertised, profile?.facts)) },
  };
}

/** The facts of a server that does as a level of the API says, and announces it (D02). */
export function levelServer(level: Level): PeerFacts<"server"> {
  const evidence = { source: "configured", note: `level ${level}` } as const;
  const { major, minor } = announcedVersion(level);
  // Of others it is only supposed.
  const checksHits = knows(level, "behaviour:hit-prolongs");
  return {
    role: "server",
    name: `a server of API ${level}`,
    level: { value: level, evidence },
    digestFunctions: [],
    missingMethods: [],
    claims: checksHits ? [{ feature: "lifetimes", writes: ["checked"], evidence }] : [],
    facts: { window: { low: "2.0", high: `${major}.${minor}`, evidence: evidence.note } },
  };
}

function asConfigured(facts: PeerFacts<"server">): PeerFacts<"server"> {
  const configured = <T extends { readonly evidence: Evidence }>(stated: T): T => ({
    ...stated,
    evidence: { ...stated.evidence, source: "configured" },
  });
  return {
    ...facts,
    level: facts.level === null ? null : configured(facts.level),
    claims: facts.claims.map(configured),
  };
}

function levelOf(advertised: Advertised | null): PeerFacts["level"] {
  if (advertised?.level == null || advertised.high === null) return null;
  const note = `high_api_version ${versionText(advertised.high)}`;
  return { value: advertised.level, evidence: { source: "advertised", note } };
}

/** Features of which the answer to GetCapabilities is the whole truth. */
function announcedClaims({ compressors, batchCompressors }: Advertised, unkept: readonly string[]): Claim[] {
  const claim = (feature: string, field: string, list: readonly number[], reads: string[]): Claim => {
    const some = list.some((number) => number !== IDENTITY);
    const note = some ? `${field} lists ${list.join(", ")}` : `${field} lists none`;
    return { feature, reads, writes: ["plain"], evidence: { source: "advertised", note } };
  };
  const streamed = COMPRESSORS.filter(
    (name) => compressors.includes(enums.Compressor[name]) && !unkept.includes(name),
  );
  const batched = batchCompressors.some((number) => number !== IDENTITY);
  return [
    claim("compressed-blobs", "supported_compressors", compressors, [
      "plain",
      ...streamed.map((name) => name.toLowerCase()),
    ]),
    claim(
      "batch-compression",
      "supported_batch_update_compressors",
      batchCompressors,
      batched ? ["compressed", "plain"] : ["plain"],
    ),
  ];
}

/** Those that names of blobs may spell. */
const COMPRESSORS = ["ZSTD", "DEFLATE", "BROTLI"] as const;

/** The methods for chunks that are announced (D22); nothing where one is known to be missing, whatever is announced. */
function announcedChunking({ splits, splices }: Advertised, missing: readonly string[]): Claim[] {
  if (missing.includes(SPLIT_BLOB) || missing.includes(SPLICE_BLOB)) return [];
  const note = `split_blob_support is ${splits}, splice_blob_support is ${splices}`;
  return [chunkingClaim(splits, splices, { source: "advertised", note })];
}

/** What a probe tells, except that GetTree is there, of a server whose profile says what it does not do with pages. */
function probedBesides(claims: readonly Claim[], probed: ServerEvidence["probed"]): Claim[] {
  const tree = claims.find(({ feature }) => feature === "get-tree")?.reads ?? ["offered"];
  const isKnown = !tree.includes("offered") && tree.length > 1;
  return probed.claims.filter(
    ({ feature, reads }) => feature !== "get-tree" || !isKnown || reads?.includes("offered") === false,
  );
}

/** Forms that a later one superseded, with the version that did. */
const SUPERSEDED = [
  { feature: "output-paths", since: [2, 1], newer: "paths" },
  { feature: "action-platform", since: [2, 2], newer: "action" },
] as const;

/**
 * What a server need not read any more by the lowest version it states: Buildbarn dropped such fields, and then takes actions that use them for
 * actions without outputs (D24, D36). Profiles know better.
 */
function leftBehind(advertised: Advertised | null): Claim[] {
  const low = advertised?.low ?? null;
  if (low === null) return [];
  const evidence: Evidence = { source: "advertised", note: `low_api_version ${versionText(low)}` };
  return SUPERSEDED.filter(({ since }) => compareVersions([low.major, low.minor], since) >= 0).map(
    ({ feature, newer }) => ({ feature, reads: [newer], evidence }),
  );
}

const IDENTITY = 0;

/** What it says of itself. Limits of a store are said by who answers for one, and what they count is not said at all. */
function announcedFacts(advertised: Advertised, known: ServerFacts | undefined): ServerFacts {
  const { deprecated, low, high, statesStore, maxBatchBytes, maxBlobBytes } = advertised;
  const evidence = "GetCapabilities";
  const counts = known?.batchLimit?.counts;
  const bound = (name: string, version: ApiVersion | null) =>
    version === null ? {} : { [name]: versionText(version) };
  return {
    window: { ...bound("deprecated", deprecated), ...bound("low", low), ...bound("high", high), evidence },
    ...(statesStore && {
      batchLimit: { announced: maxBatchBytes, ...(counts && { counts }), evidence },
      blobLimit: { announced: maxBlobBytes > 0, ...(maxBlobBytes > 0 && { bytes: maxBlobBytes }), evidence },
    }),
  };
}

function versionText({ major, minor }: ApiVersion): string {
  return `${major}.${minor}`;
}
