/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, rows[i - 2]![j - 2]! + 1);
      row.push(edits);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** `; did you mean "x"?` for the candidate that `word` most likely misspells, or nothing when none is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const typed = word.toLowerCase();
  let best: string | undefined;
  // A third of the word may be wrong: two edits in "adress-x", none in "tls".
  let fewest = Math.floor(Math.min(typed.length, 30) / 3) + 1;
  for (const candidate of candidates) {
    const edits = distance(typed.slice(0, 30), candidate.toLowerCase());
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best === undefined ? "" : `; did you mean "${best}"?`;
}
