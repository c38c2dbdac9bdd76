/** What a client makes of the API versions in an answer to GetCapabilities (D02), by its profile. */
import type { Claim } from "./dialect.ts";
import type { ResolvedClient } from "./profile.ts";
import { compareVersions, parseVersion, type Version } from "./version-range.ts";

/** The versions of an answer; null for those that are not stated. */
export interface ApiWindow {
  readonly deprecated: Version | null;
  readonly low: Version | null;
  readonly high: Version | null;
}

/** Whether the client goes on, and with which version; null where it holds to none. */
export interface Decision {
  readonly verdict: "goes-on" | "warns" | "refuses";
  readonly negotiated: Version | null;
}

/** What the client decides on these versions. One of which no rule is known goes on. */
export function decide({ facts }: ResolvedClient, { deprecated, low, high }: ApiWindow): Decision {
  const rule = facts.versionRule;
  if (rule === undefined || rule.needs === "nothing") return { verdict: "goes-on", negotiated: null };
  if (low === null || high === null) {
    return { verdict: rule.unstated === "goes-on" ? "goes-on" : "refuses", negotiated: null };
  }
  const own = { low: versionOf(rule.low), high: versionOf(rule.high) };
  const shared = highestShared(own, { low, high });
  if (shared !== null) return { verdict: "goes-on", negotiated: shared };
  const old = deprecated === null ? null : highestShared(own, { low: deprecated, high });
  return { verdict: old !== null && rule.deprecated === "warns" ? "warns" : "refuses", negotiated: null };
}

/** The forms that the client uses on these versions, of features that it chooses by version. */
export function gatedClaims(client: ResolvedClient, window: ApiWindow): Claim[] {
  const { versionGates } = client.facts;
  if (versionGates === undefined) return [];
  const { by, unmet, gates, evidence } = versionGates;
  const version = by === "highest" ? window.high : decide(client, window).negotiated;
  return gates.map(({ feature, from, newer, older, of }): Claim => {
    const isNewer = version === null ? unmet === "newer" : compareVersions(version, versionOf(from)) >= 0;
    const note = `profile ${client.name}: ${evidence}`;
    const { together } = (of === "writes" ? client.features[feature] : null) ?? {};
    return {
      feature,
      [of]: isNewer ? newer : older,
      ...(together && { together }),
      evidence: { source: "profile", note },
    };
  });
}

interface Ends {
  readonly low: Version;
  readonly high: Version;
}

function highestShared(a: Ends, b: Ends): Version | null {
  const high = compareVersions(a.high, b.high) < 0 ? a.high : b.high;
  return compareVersions(a.low, high) <= 0 && compareVersions(b.low, high) <= 0 ? high : null;
}

/** A version that the schema of profiles has checked; one left out counts as 0, which nothing meets. */
function versionOf(text: string | undefined): Version {
  return (text === undefined ? null : parseVersion(text)) ?? [0];
}
