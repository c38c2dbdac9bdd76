/** What an Action and its Command have where, and texts in them. */

/** Field numbers of Action. */
export const ActionField = { doNotCache: 7, salt: 9, platform: 10 } as const;

/** Field numbers of Command; `format` is output_directory_format, or what the draft P20 took the number for. */
export const CommandField = {
  arguments: 1,
  files: 3,
  directories: 4,
  platform: 5,
  workingDirectory: 6,
  paths: 7,
  format: 9,
} as const;

/** The lists in which a Command declares outputs. */
export const OUTPUT_LISTS = [CommandField.files, CommandField.directories, CommandField.paths] as const;

/** The names of those lists, as errors call them. */
export const OUTPUT_LIST_NAMES = {
  [CommandField.files]: "output_files",
  [CommandField.directories]: "output_directories",
  [CommandField.paths]: "output_paths",
} as const;

/** In the order of their bytes, each once: as servers want the lists of a Command. */
export function sortedTexts(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** A name or path for a message: quoted, and not longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 197)}...` : text);
}
