/** Why a client is told the API versions it is told (D02). */
import { sensible, windowOf } from "../peers/api-window.ts";
import type { ClientFacts, ResolvedClient } from "../peers/profile.ts";
import type { Version } from "../peers/version-range.ts";
import { type ApiWindow, decide } from "../peers/version-rule.ts";
import type { KnownClient } from "./known-client.ts";
import type { Plan } from "./plan.ts";
import { refusesAll } from "./window.ts";

/** The versions of an answer to GetCapabilities; null for those it does not state. */
interface WindowText {
  readonly deprecated: string | null;
  readonly low: string | null;
  readonly high: string | null;
}

/** What one line of the client makes of the versions it is told. */
interface Reaction {
  /** Its profile: `bazel@8.4`. */
  readonly line: string;
  /** What it looks at, as the end of a sentence about it. */
  readonly rule: string;
  readonly verdict: "goes-on" | "warns" | "refuses";
  /** The version that both have; null where it holds to none. */
  readonly negotiated: string | null;
}

/** The versions of an answer to GetCapabilities. */
export interface Versions {
  readonly stated: WindowText;
  readonly told: WindowText;
  /** Whether the client is told others than the server's own. */
  readonly changed: boolean;
  readonly why: string;
  /** None for a client of which no rule is known. */
  readonly clients: readonly Reaction[];
}

/** The versions that a plan tells its client, and what the client makes of them. */
export function explainVersions(client: KnownClient, plan: Plan): Versions {
  const { server, window } = plan.pair;
  const stated = windowOf(server.facts);
  const told = window ?? stated;
  const lines = typeof client === "string" ? [] : client;
  const clients = lines.map((line) => reactionOf(line, told));
  return {
    stated: textOf(stated),
    told: textOf(told),
    changed: window !== undefined,
    why: reason(stated, told, clients, plan),
    clients,
  };
}

/** `2.0 to 2.11, deprecated 2.0`, or that there are none. */
export function windowText({ deprecated, low, high }: WindowText): string {
  if (low === null && high === null) return "no versions";
  const ends = `${low ?? "unstated"} to ${high ?? "unstated"}`;
  return deprecated === null ? ends : `${ends}, deprecated from ${deprecated}`;
}

function reactionOf(line: ResolvedClient, told: ApiWindow): Reaction {
  const { verdict, negotiated } = decide(line, told);
  return {
    line: line.name,
    rule: ruleText(line.facts),
    verdict,
    negotiated: negotiated === null ? null : negotiated.join("."),
  };
}

function ruleText({ versionRule, versionGates }: ClientFacts): string {
  const { needs = "nothing", low, high } = versionRule ?? {};
  const base = {
    nothing: "goes on with any versions",
    holds: `needs ${low} among the versions`,
    meets:
      low === high ? `needs ${low} among the versions` : `needs one of ${low} to ${high} among the versions`,
  }[needs];
  if (versionGates === undefined) return base;
  const by = versionGates.by === "highest" ? "the highest version" : "the version that both have";
  const features = [...new Set(versionGates.gates.map(({ feature }) => feature))];
  return `${base}; ${features.join(" and ")} follow${features.length === 1 ? "s" : ""} ${by}`;
}

function reason(stated: ApiWindow, told: ApiWindow, clients: readonly Reaction[], plan: Plan): string {
  if (clients.some(({ verdict }) => verdict === "refuses")) {
    return refusesAll(plan)
      ? "no others would be true: what this client has to write is refused"
      : "no others exist that this client takes";
  }
  const { low, high } = sensible(stated, null);
  if (plan.pair.window === undefined) return "the server's own will do";
  const reasons = [
    ...(stated.low === null || stated.high === null ? ["the server leaves a bound out"] : []),
    ...(isAbove(stated.high, high) ? ["the server states a version that does not exist"] : []),
    ...(isAbove(low, told.low) ? ["all that clients write from the lower version on is served"] : []),
    ...(isAbove(high, told.high) || isAbove(told.high, high)
      ? ["by this highest version the client writes what the server reads"]
      : []),
  ];
  return reasons.join("; ") || "the server's own are not in order";
}

function isAbove(a: Version | null, b: Version | null): boolean {
  if (a === null || b === null) return false;
  return a[0] !== b[0] ? a[0]! > b[0]! : (a[1] ?? 0) > (b[1] ?? 0);
}

function textOf({ deprecated, low, high }: ApiWindow): WindowText {
  const text = (version: Version | null) => version?.join(".") ?? null;
  return { deprecated: text(deprecated), low: text(low), high: text(high) };
}
