/** Which API versions a client is told (D02, R5, lift L3): the server's own wherever they will do. */
import { type StatedWindow, sensible, versionOfLevel, windowOf } from "../peers/api-window.ts";
import type { Dialect } from "../peers/dialect.ts";
import type { ResolvedClient } from "../peers/profile.ts";
import { compareVersions, parseVersion, type Version } from "../peers/version-range.ts";
import { type ApiWindow, decide } from "../peers/version-rule.ts";
import { isLevel, LEVELS, type Level } from "../spec/versions.ts";
import type { KnownClient } from "./known-client.ts";
import type { Decision, Plan } from "./plan.ts";

/** What versions stand for that a client has to use or a server to read (R5): outputs (D24), platform (D36), program (D39). */
const BY_VERSION: readonly string[] = ["output-paths", "action-platform", "argv0"];

/** The plan for a client that is told a window. */
export type PlanWith = (client: KnownClient, window: ApiWindow) => Plan;

/**
 * The window for a client: of those in the order of `choicesFor` the first that every line of it goes on with, and with which it writes what the server
 * reads; else the first that no line refuses, as a warning is no end; else, in the same order, one with which what it has to write is translated, and
 * nothing of it refused; else what the server states. For a client without a rule: the server's versions, down to the lowest whose clients are served.
 */
export function chooseWindow(
  client: KnownClient,
  server: Dialect<"server">,
  planWith: PlanWith,
): StatedWindow {
  const base = sensible(windowOf(server.facts), levelOf(server));
  if (typeof client === "string" || client.length === 0) return lowestServed(client, base, planWith);
  const all = choicesFor(client, base).map((window) => ({
    window,
    verdicts: client.map((line) => decide(line, window).verdict),
  }));
  const choices = all.filter(({ verdicts }) => !verdicts.includes("refuses"));
  const without = choices.filter(({ verdicts }) => !verdicts.includes("warns"));
  const inOrder = [...without, ...choices].map(({ window }) => ({ window, plan: planWith(client, window) }));
  const found =
    inOrder.find(({ plan }) => !every(plan, ["reject", "translate"])) ??
    inOrder.find(({ plan }) => !refusesAll(plan));
  return found?.window ?? base;
}

/** Whether every form is refused that the client has of a feature that goes by versions. */
export function refusesAll(plan: Plan): boolean {
  return every(plan, ["reject"]);
}

/** Whether one of these verdicts is on every form that the client has of a feature that goes by versions. */
function every({ decisions }: Plan, verdicts: readonly Decision["verdict"][]): boolean {
  return BY_VERSION.some((feature) => {
    const own = decisions.filter((made) => made.feature === feature && made.direction === "toServer");
    return own.length > 0 && own.every(({ verdict }) => verdicts.includes(verdict));
  });
}

/**
 * All windows that may make a difference to these lines, the nearest to the server's own first: each highest version at which one of them
 * begins or ends to write something, or begins to go on at all; for each, the server's lowest version and then those of the lines.
 */
function choicesFor(lines: readonly ResolvedClient[], base: StatedWindow): StatedWindow[] {
  const rules = lines.flatMap(({ facts }) => versions([facts.versionRule?.low]));
  const gates = lines.flatMap(({ facts }) => versions(facts.versionGates?.gates.map(({ from }) => from)));
  const highs = [
    base.high,
    ...rules.filter((low) => compareVersions(low, base.high) > 0),
    ...gates.flatMap((gate) => [...before(gate), gate]),
  ].sort((a, b) => distance(a, base.high) - distance(b, base.high));
  const lows = [base.low, ...rules.filter((low) => compareVersions(low, base.low) < 0)];
  return highs.flatMap((high) => lows.map((low) => withBounds(base, low, high)));
}

function versions(texts: readonly (string | undefined)[] = []): Version[] {
  return texts
    .map((text) => (text === undefined ? null : parseVersion(text)))
    .filter((version) => version !== null);
}

/** The version before, if there is one of the same major. */
function before([major = 0, minor = 0]: Version): Version[] {
  return minor === 0 ? [] : [[major, minor - 1]];
}

function distance([major = 0, minor = 0]: Version, [otherMajor = 0, otherMinor = 0]: Version): number {
  // No major has as many minor versions.
  return Math.abs((major - otherMajor) * 1_000 + minor - otherMinor);
}

function lowestServed(client: KnownClient, base: StatedWindow, planWith: PlanWith): StatedWindow {
  const known = typeof client === "string" ? [client] : LEVELS;
  const from = (level: Level) => withBounds(base, versionOfLevel(level), base.high);
  const low = known.find((level) => {
    const below = compareVersions(versionOfLevel(level), base.low) < 0;
    return below && !refusesAll(planWith(level, from(level)));
  });
  return low === undefined ? base : from(low);
}

/** The window with other bounds, in order; what is deprecated lies below the low one, or nothing does. */
function withBounds({ deprecated }: StatedWindow, wanted: Version, high: Version): StatedWindow {
  const low = compareVersions(wanted, high) > 0 ? high : wanted;
  const isBelow = deprecated !== null && compareVersions(deprecated, low) < 0;
  return { deprecated: isBelow ? deprecated : null, low, high };
}

function levelOf({ version }: Dialect<"server">): Level | null {
  return version !== null && isLevel(version) ? version : null;
}
