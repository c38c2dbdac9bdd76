/** The outputs that a Command declares, and where their paths lead. */

import { textIn, textsOf, withPayloads } from "../wire/fields.ts";
import { CommandField, OUTPUT_LISTS, sortedTexts } from "./action-messages.ts";
import type { Edit, Pair } from "./translator.ts";

/** The paths in the lists of a Command, each in its order. */
export interface OutputLists {
  readonly files: ReadonlySet<string>;
  readonly directories: ReadonlySet<string>;
  readonly paths: ReadonlySet<string>;
}

/** The outputs that a Command declares; none, where it is not known. @throws WireError for broken bytes, and for paths that are no text. */
export function declaredBy(command: Buffer | null): OutputLists {
  const list = (name: keyof OutputLists) =>
    new Set(command === null ? [] : textsOf(command, CommandField[name]));
  return { files: list("files"), directories: list("directories"), paths: list("paths") };
}

/** A Command that declares its outputs in these lists and no others, each sorted by bytes and free of doubles, as servers want them. */
export function withLists(
  command: Buffer,
  lists: Readonly<Partial<Record<keyof OutputLists, Iterable<string>>>>,
): Edit {
  const values = new Map<number, readonly Buffer[]>(OUTPUT_LISTS.map((number) => [number, []]));
  for (const name of ["files", "directories", "paths"] as const)
    values.set(
      CommandField[name],
      sortedTexts(lists[name] ?? []).map((path) => Buffer.from(path)),
    );
  return withPayloads(command, values);
}

/** Where the paths of a Command's outputs start for the server, from the input root (D27): its Command has them so by now. */
export function baseOf(command: Buffer, { server }: Pair): string {
  const isInputRoot = server.features["output-base"]?.reads.includes("working-directory") === false;
  return isInputRoot ? "" : textIn(command, CommandField.workingDirectory);
}

/** The directories on the way from the input root to a path from it, the root as "" among them and the path itself not. */
export function* ancestorsOf(path: string): Generator<string, void, void> {
  if (path === "") return;
  yield "";
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) yield path.slice(0, at);
}

/** The directory that a path from the input root is in. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}
