/** Windows of API versions (D02): what a server states, made into one that clients can compare with. */
import { announcedVersion, type Level, NEWEST } from "../spec/versions.ts";
import type { ServerFacts } from "./profile.ts";
import { compareVersions, parseVersion, type Version } from "./version-range.ts";
import type { ApiWindow } from "./version-rule.ts";

/** The version of every server that states none: the first of the API there is. */
const FIRST: Version = [2, 0];

/** A window of which both ends are known. */
export interface StatedWindow extends ApiWindow {
  readonly low: Version;
  readonly high: Version;
}

/** The version that a level is called by: 2.0 for 2018-11, the newest tag for main. */
export function versionOfLevel(level: Level): Version {
  const { major, minor } = announcedVersion(level);
  return [major, minor];
}

/** The window in facts of a server, as it stands there. */
export function windowOf({ window }: ServerFacts): ApiWindow {
  const version = (text: string | undefined) => (text === undefined ? null : parseVersion(text));
  return {
    deprecated: version(window?.deprecated),
    low: version(window?.low),
    high: version(window?.high),
  };
}

/**
 * A window that clients can do something with: no version beyond the newest that is known (servers have said 2.99, and a greater major breaks clients
 * that look at the minor), both ends stated, in order; the deprecated version only below the low one.
 * `level` is that of a server which states no version.
 */
export function sensible({ deprecated, low, high }: ApiWindow, level: Level | null): StatedWindow {
  const newest = versionOfLevel(NEWEST);
  const top = atMost(high ?? (level === null ? (low ?? FIRST) : versionOfLevel(level)), newest);
  const bottom = atMost(low ?? FIRST, top);
  return {
    deprecated: deprecated !== null && compareVersions(deprecated, bottom) < 0 ? deprecated : null,
    low: bottom,
    high: top,
  };
}

/** Whether two windows state the same, to the minor version. */
export function sameWindow(a: ApiWindow, b: ApiWindow): boolean {
  const same = (x: Version | null, y: Version | null) =>
    x === null || y === null ? x === y : compareVersions(x, y) === 0;
  return same(a.low, b.low) && same(a.high, b.high) && same(a.deprecated, b.deprecated);
}

/** What several servers have in common, which a client uses as one; null if there is no such version. */
export function sharedWindow(windows: readonly StatedWindow[]): StatedWindow | null {
  const low = latest(windows.map((window) => window.low));
  const high = windows.map((window) => window.high).reduce(atMost);
  if (compareVersions(low, high) > 0) return null;
  // A client older than what all of them still bear with is older than what they share.
  const deprecated = latest(windows.map((window) => window.deprecated ?? window.low));
  return { deprecated: compareVersions(deprecated, low) < 0 ? deprecated : null, low, high };
}

function latest(versions: readonly Version[]): Version {
  return versions.reduce((a, b) => (compareVersions(a, b) >= 0 ? a : b));
}

function atMost(version: Version, most: Version): Version {
  return compareVersions(version, most) > 0 ? most : version;
}
