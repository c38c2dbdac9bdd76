/**
 * The levels of the Remote Execution API, in order.
 *
 * A level is one state of the schema and of its rules: a tagged version without its patch part, `2018-11` for the untagged state of
 * November 2018, or `main` for the newest one. Peers rarely match a level exactly (D02); it is the scale, not the unit.
 */

/** Every level, oldest first. */
export const LEVELS = [
  "2018-11",
  "2.0",
  "2.1",
  "2.2",
  "2.3",
  "2.4",
  "2.5",
  "2.6",
  "2.7",
  "2.8",
  "2.9",
  "2.10",
  "2.11",
  "2.12",
  "main",
] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** The newest level. */
export const NEWEST: Level = "main";

const RANK: ReadonlyMap<string, number> = new Map(LEVELS.map((level, rank) => [level, rank]));

/** Whether the text names a level exactly. */
export function isLevel(text: string): text is Level {
  return RANK.has(text);
}

/**
 * Reads a level as a person writes it: `2.3`, `v2.3`, `v2.3.0`, `v2.4.0-rc1`, `2018-11`, `main`.
 * @throws RangeError that lists the levels, for anything else.
 */
export function parseLevel(text: string): Level {
  const plain = text
    .trim()
    .replace(/^v(?=\d)/, "")
    .replace(/^(\d+\.\d+)\.\d+(-rc\d+)?$/, "$1");
  if (isLevel(plain)) return plain;
  throw new RangeError(`unknown API level "${text}"; the levels are ${LEVELS.join(", ")}`);
}

/** Negative if `a` is older than `b`, positive if newer, 0 if equal. Fit for `Array.prototype.sort`. */
export function compareLevels(a: Level, b: Level): number {
  return rankOf(a) - rankOf(b);
}

/** Whether `level` is `since` or newer. */
export function atLeast(level: Level, since: Level): boolean {
  return rankOf(level) >= rankOf(since);
}

/** The API version a server of this level announces (D02): 2018-11 as 2.0, `main` as the newest number that exists. */
export function announcedVersion(level: Level): { major: number; minor: number } {
  const numbered = level === "2018-11" ? "2.0" : level === "main" ? "2.12" : level;
  const [major, minor] = numbered.split(".");
  return { major: Number(major), minor: Number(minor) };
}

function rankOf(level: Level): number {
  return RANK.get(level) ?? Number.NaN;
}
