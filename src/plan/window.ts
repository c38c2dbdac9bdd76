/** Which API versions a client is told (D02, R5, lift L3): the server's own wherever they will do. */
import { type StatedWindow, sensible, versionOfLevel, windowOf } from "../peers/api-window.ts";
import type { Dialect } from "../peers/dialect.ts";
import type { ResolvedClient } from "../peers/profile.ts";
import { compareVersions, parseVersion, type Version } from "../peers/version-range.ts";
import { type ApiWindow, decide } from "../peers/version-rule.ts";
import { isLevel, LEVELS, type Level } from "../spec/versions.ts";
import type { KnownClient } from "./known-client.ts";
import type { Plan } from "./plan.ts";

/** What versions stand for that a client has to use or a server to read (R5): outputs (D24), platform (D36), program (D39). */
const BY_VERSION: readonly string[] = ["output-paths", "action-platform", "argv0"];

/** The plan for a client that is told a window. */
export type PlanWith = (client: KnownClient, window: ApiWindow) => Plan;

/**
 * The window for a client: the first of these that it goes on with, and with which nothing it has to write is refused; else the first.
 * 1. What the server states, as far as clients can do something with it.
 * 2. From a lower version on: its own, or for a client that is not known the lowest whose clients are served.
 * 3. Up to a higher version: the lowest that the client takes.

 */
export function chooseWindow(
  client: KnownClient,
  server: Dialect<"server">,
  planWith: PlanWith,
): StatedWindow {
  const base = sensible(windowOf(server.facts), levelOf(server));
  if (typeof client === "string" || client.length === 0) return lowestServed(client, base, planWith);
  const choices = [base, ...client.flatMap((line) => [lowered(base, line), raised(base, line)])];
  const serves = (window: StatedWindow) => !refusesAll(planWith(client, window));
  const with_ = (verdict: string) =>
    choices.find(
      (window) => client.every((line) => decide(line, window).verdict === verdict) && serves(window),
    );
  return with_("goes-on") ?? with_("warns") ?? base;
}

/** Whether every form is refused that the client has of a feature that goes by versions. */
export function refusesAll({ decisions }: Plan): boolean {
  return BY_VERSION.some((feature) => {
    const own = decisions.filter((made) => made.feature === feature && made.direction === "toServer");
    return own.length > 0 && own.every(({ verdict }) => verdict === "reject");
  });
}

function lowestServed(client: KnownClient, base: StatedWindow, planWith: PlanWith): StatedWindow {
  const known = typeof client === "string" ? [client] : LEVELS;
  const low = known.find((level) => {
    const version = versionOfLevel(level);
    const below = compareVersions(version, base.low) < 0;
    return below && !refusesAll(planWith(level, from(base, version)));
  });
  return low === undefined ? base : from(base, versionOfLevel(low));
}

function lowered(base: StatedWindow, line: ResolvedClient): StatedWindow {
  const low = boundOf(line, "low");
  return low === null || compareVersions(low, base.low) >= 0 ? base : from(base, low);
}

function raised(base: StatedWindow, line: ResolvedClient): StatedWindow {
  const low = boundOf(line, "low");
  return low === null || compareVersions(low, base.high) <= 0 ? base : { ...base, high: low };
}

function boundOf({ facts }: ResolvedClient, end: "low" | "high"): Version | null {
  const text = facts.versionRule?.[end];
  return text === undefined ? null : parseVersion(text);
}

/** The window from another low version on; what is deprecated lies below that, or nothing does. */
function from(base: StatedWindow, low: Version): StatedWindow {
  const { deprecated } = base;
  return {
    ...base,
    low,
    deprecated: deprecated !== null && compareVersions(deprecated, low) < 0 ? deprecated : null,
  };
}

function levelOf({ version }: Dialect<"server">): Level | null {
  return version !== null && isLevel(version) ? version : null;
}
