import { isSet, textIn, textsOf, withPayloads } from "../wire/fields.ts";
import { CommandField, OUTPUT_LIST_NAMES, OUTPUT_LISTS, quoted, sortedTexts } from "./action-messages.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { fromInputRoot, fromWorkingDirectory } from "./input-root-paths.ts";
import { of } from "./names.ts";
import { renameOutputs } from "./output-renames.ts";
import { refusalOf } from "./refusal.ts";
import type { ActionEdit, Edit, Originals, Pair, Reject, Translate, Translator } from "./translator.ts";

/** What takes a path from one base to the other, in a working directory that is not the input root; null for paths that leave the input root. */
type Rebase = (workingDirectory: string, path: string) => string | null;

/** What a command with paths of one kind needs for a reader of the other: null where they are the same. */
type RebaseFor = (command: Buffer) => Rebase | null;

const toInputRoot: Rebase = fromInputRoot;

const toWorkingDirectory: Rebase = (workingDirectory, path) => {
  const fromRoot = fromInputRoot("", path);
  return fromRoot === null ? null : fromWorkingDirectory(workingDirectory, fromRoot);
};

/** Whether a command of the draft has its paths from the input root: its field 9, which means something else since 2.8 (P20). */
function isFlagged(command: Buffer): boolean {
  return isSet(command, CommandField.format);
}

/** No server is known to read the draft. */
const DRAFT: Reject = {
  kind: "reject",
  code: "output-unsupported",
  has: "reads a draft of the API that has its own field for what paths of outputs are relative to",
  fix: "have the client run commands in the input root",
  uses: [
    {
      in: "action",
      used: {
        what: "Outputs of a command with a working directory",
        element: null,
        text: "working_directory",
        found: (_, command) =>
          textIn(command, CommandField.workingDirectory) !== "" &&
          OUTPUT_LISTS.some((list) => textsOf(command, list).length > 0),
      },
    },
  ],
  unusual: true,
};

/**
 * What paths of outputs are relative to (D27): the working directory, or with some servers and clients the input root; a draft of the API had a field that
 * says which (P20). Where a command has a working directory, the paths it declares are rewritten, and those of its results back. Targets of links stay:
 * they start at the link.
 */
export const outputBase: Translator = {
  feature: {
    id: "output-base",
    title: "What paths of outputs are relative to",
    since: "2018-11",
    drift: ["D27", "P20"],
    why: "The worker looks for outputs in another directory.",
    forms: {
      "input-root": "the input root",
      "working-directory": "the working directory",
      drafted: "the input root where field 9 of the Command is set, else the working directory",
    },
  },
  owns: [
    "behaviour:working-directory-paths",
    ...of("Command", "working_directory"),
    ...of("OutputDirectory", "path"),
    ...of("OutputFile", "path"),
  ],
  after: ["inline-outputs"],
  clientAhead:
    "paths are rewritten to start where the server's do, and back in results; those that leave the input root are refused",
  serverAhead: "the same",
  support: byLevel({
    element: "behaviour:working-directory-paths",
    without: { reads: ["input-root"], writes: ["input-root"] },
    with: { reads: ["working-directory"], writes: ["working-directory"] },
  }),
  assume: {
    client: assumed(["working-directory"], ["working-directory"]),
    server: assumed(["working-directory"], ["working-directory"]),
  },
  toServer: {
    "working-directory": { "input-root": rebasing("working-directory", () => toInputRoot), drafted: DRAFT },
    "input-root": {
      "working-directory": rebasing("input-root", () => toWorkingDirectory),
      drafted: DRAFT,
    },
    drafted: {
      "working-directory": rebasing("drafted", (command) => (isFlagged(command) ? toWorkingDirectory : null)),
      "input-root": rebasing("drafted", (command) => (isFlagged(command) ? null : toInputRoot)),
    },
  },
  toClient: pass("paths in results are those of the command, and go back with it"),
};

function rebasing(from: string, rebaseFor: RebaseFor): Translate {
  return {
    kind: "translate",
    content: {
      action: ({ command }, _, pair) => rebased(command, from, rebaseFor(command), pair),
      outputName: (path, { command }) => convert(command, rebaseFor(command), path) ?? path,
      result: (result, originals) => back(result, originals, rebaseFor),
    },
  };
}

/** The path as the server has it; the very path where nothing differs, null for one that leaves the input root. */
function convert(command: Buffer, rebase: Rebase | null, path: string): string | null {
  const workingDirectory = fromInputRoot("", textIn(command, CommandField.workingDirectory));
  if (rebase === null || workingDirectory === "") return path;
  return workingDirectory === null ? null : rebase(workingDirectory, path);
}

function rebased(command: Buffer, from: string, rebase: Rebase | null, pair: Pair): ActionEdit | null {
  const lists = new Map<number, readonly Buffer[]>();
  for (const list of OUTPUT_LISTS) {
    const before = textsOf(command, list);
    const after = before.map((path) => {
      const converted = convert(command, rebase, path);
      if (converted !== null) return converted;
      throw refusalOf(
        outputBase,
        {
          code: "output-unsupported",
          has: "takes paths of outputs from another directory on, and this one leaves the input root",
          fix: "have the client declare outputs within the input root",
        },
        from,
        { what: `The output ${quoted(path)}`, element: null, text: OUTPUT_LIST_NAMES[list] },
        pair,
      );
    });
    if (after.some((path, i) => path !== before[i]))
      lists.set(
        list,
        sortedTexts(after).map((path) => Buffer.from(path)),
      );
  }
  // A server of 2.8 or later would read it as a format of directories.
  if (from === "drafted" && isFlagged(command)) lists.set(CommandField.format, []);
  return lists.size === 0 ? null : { command: withPayloads(command, lists) };
}

/**
 * The paths of a result as the client declared them. Those that nobody declared are left alone, and so are results that have the client's paths already: all of
 * them, or under a key that any client may write to any single one.
 */
async function back(result: Buffer, originals: Originals, rebaseFor: RebaseFor): Promise<Edit> {
  const command = await originals.command();
  if (command === null) return null;
  const rebase = rebaseFor(command);
  const own = new Map<string, string>();
  const declared = new Set<string>();
  for (const list of OUTPUT_LISTS) {
    for (const path of textsOf(command, list)) {
      const there = convert(command, rebase, path);
      declared.add(path);
      if (there !== null && !own.has(there)) own.set(there, path);
    }
  }
  return renameOutputs(result, (paths) => {
    const isOwn = paths.every((path) => declared.has(path)) && !paths.every((path) => own.has(path));
    if (isOwn) return null;
    return (path) => (originals.foreign && declared.has(path) ? path : (own.get(path) ?? path));
  });
}
