/** Ranges of one peer that follow each other and are alike. */

/** Ranges that are alike, as one. */
export interface Run<T> {
  readonly first: T;
  /** The range as people write it; empty for all versions. */
  readonly range: string;
}

/** Joins ranges, oldest first, as long as `likeness` gives the same text for neighbours. */
export function mergeRuns<T extends { readonly range: string }>(
  ranges: readonly T[],
  likeness: (one: T) => string,
): Run<T>[] {
  const texts = ranges.map(likeness);
  const starts = ranges.map((_, i) => i).filter((i) => i === 0 || texts[i] !== texts[i - 1]);
  return starts.map((start, n) => {
    const last = (starts[n + 1] ?? ranges.length) - 1;
    const first = ranges[start]!;
    return { first, range: last === start ? first.range : joined(first.range, ranges[last]!.range) };
  });
}

/** From the beginning of one range to the end of another, given as `up to B`, `from A`, `A to B`, `B, from A` or the one version there is. */
function joined(first: string, last: string): string {
  const from = first.startsWith("up to ")
    ? ""
    : (/from (.*)$/.exec(first)?.[1] ?? first.replace(/ to .*$/, ""));
  const to = last.startsWith("from ") ? "" : last.replace(/^(?:.* to|up to) /, "").replace(/, from .*$/, "");
  if (from === "") return to === "" ? "" : `up to ${to}`;
  if (to === "") return `from ${from}`;
  return from === `${to}.0` ? to : `${from} to ${to}`;
}
