/** Versions and dates of peers: both are numbers in order, and a short one stands for all that begin with it. */

/** A version or date as numbers: `2.16.0`, `2026-03-26`. */
export type Version = readonly number[];

/**
 * Reads digits between dots or hyphens; a leading `v` and what follows the digits (`-rc1`, `+build`) are left out.
 * @returns null for a text that does not begin with a number.
 */
export function parseVersion(value: string): Version | null {
  const digits = /^v?(\d+(?:[.-]\d+)*)/.exec(value)?.[1];
  return digits === undefined ? null : digits.split(/[.-]/).map(Number);
}

/** Ends that belong to the range; null for open. */
export interface VersionRange {
  readonly from: Version | null;
  readonly to: Version | null;
}

/** Negative if all that `a` stands for is before all that `b` stands for, positive if after, 0 if one holds the other. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Whether something that `version` stands for is in the range. */
export function reaches({ from, to }: VersionRange, version: Version): boolean {
  return (
    (from === null || compareVersions(version, from) >= 0) &&
    (to === null || compareVersions(version, to) <= 0)
  );
}

/** Whether `range` ends before the other begins, so that no version is in both. */
export function endsBefore(range: VersionRange, next: VersionRange): boolean {
  return range.to !== null && next.from !== null && compareVersions(range.to, next.from) < 0;
}

/** Whether the range ends no earlier than it begins. */
export function isInOrder({ from, to }: VersionRange): boolean {
  return from === null || to === null || compareVersions(from, to) <= 0;
}
