/** Text for a terminal: wrapped to its width, with a few colours if it has some. */

/** How wide the text may be, and whether it may have colours. */
export interface Paper {
  readonly width: number;
  readonly colours: boolean;
}

/** Codes of ANSI terminals. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** How a text is shown. */
export type Style = keyof typeof CODES;

const NARROWEST = 80;
const WIDEST = 120;

/** The paper of a stream: between 80 and 120 columns, 100 where it has none; colours only for a person who does not mind them (NO_COLOR). */
export function paperOf(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): Paper {
  const { NO_COLOR = "" } = env;
  const width = Math.min(Math.max(columns ?? 100, NARROWEST), WIDEST);
  return { width, colours: isTTY === true && NO_COLOR === "" };
}

/** The text in a style, if the paper has colours. */
export function styled(text: string, style: Style, { colours }: Paper): string {
  return colours ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}

/** Lines of text at most as wide as the paper, broken at spaces: `label` before the first, spaces before the others. Ends with a line feed. */
export function wrapped(label: string, text: string, { width }: Paper): string {
  const lines: string[] = [];
  let line = label;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = " ".repeat(label.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map((one) => `${one}\n`).join("");
}

/** Rows of cells, each column as wide as its widest cell; no spaces at the ends of lines. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}
