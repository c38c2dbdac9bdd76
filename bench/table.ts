/** Tables and numbers as text. */

/** The cells of a row. */
export type Row = readonly string[];

/** A table of Markdown. */
export function table(head: Row, rows: readonly Row[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (row: Row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join(
    "\n",
  );
}

/** A share, 0 to 1, in percent. */
export const percent = (share: number): string => `${Math.round(share * 100)} %`;
/** With three digits, or all of those before the point. */
export const significant = (value: number): string =>
  value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
