import { type Judge, type UnknownField, withoutUnknown } from "../spec/unknown-fields.ts";
import { isLevel, type Level, NEWEST } from "../spec/versions.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, pass } from "./declare.ts";
import { editOutputDirectories } from "./output-trees.ts";
import { refusalOf } from "./refusal.ts";
import type { ActionEdit, ActionMessages, Edit, Feature, Originals, Pair, Translator } from "./translator.ts";

const FEATURE: Feature = {
  id: "strict-canonical",
  title: "Unknown fields in messages that are hashed",
  since: "2018-11",
  drift: ["D03", "D38"],
  why: "A strict reader refuses messages with fields of a later revision.",
  forms: {
    lenient: "fields the reader does not know are skipped",
    strict: "fields the reader does not know are an error",
  },
};

/** Field numbers of Command that others stand in for, and of those. */
const Command = { files: 3, directories: 4, platform: 5, paths: 7, format: 9 } as const;
const Action = { platform: 10 } as const;

/** What may be taken away before a strict server without losing its meaning, and when. All else is refused. */
const MAY_GO: Readonly<Record<string, (given: ActionMessages) => boolean>> = {
  // The Command says the same.
  [`Action.${Action.platform}`]: ({ action, command }) => {
    const there = lastIn(command, Command.platform);
    return there !== null && lastIn(action, Action.platform)?.equals(there) === true;
  },
  // The lists declare the outputs for a server that does not know paths.
  [`Command.${Command.paths}`]: ({ command }) =>
    lastIn(command, Command.files) !== null || lastIn(command, Command.directories) !== null,
  // A server without it answers with Trees, as every client has to expect.
  [`Command.${Command.format}`]: () => true,
};

/** Fields of attributes, which may be in another form yet (D31): the messages of Directories and their numbers in either. */
const ATTRIBUTES: Readonly<Record<string, readonly number[]>> = {
  Directory: [4, 5],
  FileNode: [5, 6],
  SymlinkNode: [3, 4],
};

/**
 * Peers that do not skip fields of later revisions in what is hashed (D03). No such peer is known, so only a profile makes one. A strict server gets messages
 * without the fields that its level does not know; a field whose meaning would be lost is refused by name, a salt above all (D38): without it, entries
 * of the cache would be shared that were to be apart. It comes last on the way to the server, so that what can be said in another way has been.
 *
 * A strict client makes the digests of directories anew from what it understood of them. It gets Trees without fields it does not know, in which it finds
 * every child.
 */
export const strictCanonical: Translator = {
  feature: FEATURE,
  owns: ["behaviour:canonical-encoding"],
  after: ["uncached-actions", "input-symlinks"],
  clientAhead:
    "a strict server gets messages without the fields it does not know, and what would lose its meaning is refused; others skip them",
  serverAhead: "a strict client gets Trees without the fields it does not know; others skip them",
  support: () => null,
  assume: {
    client: assumed(["lenient", "strict"], ["lenient"]),
    server: assumed(["lenient", "strict"], ["lenient"]),
  },
  toServer: {
    lenient: { strict: { kind: "translate", content: { action, directory } } },
    strict: { lenient: pass("a reader that skips unknown fields takes strict messages as well") },
  },
  toClient: {
    lenient: { strict: { kind: "translate", content: { result } } },
    strict: { lenient: pass("a reader that skips unknown fields takes strict messages as well") },
  },
};

function action(given: ActionMessages, _: unknown, pair: Pair): ActionEdit | null {
  const level = levelOfServer(pair);
  const judge: Judge = (field) => {
    if (MAY_GO[`${field.message}.${field.number}`]?.(given) === true) return "drop";
    throw refused(field, "action-unsupported", pair);
  };
  const edit = {
    action: withoutUnknown(new Walker(given.action), "Action", level, judge),
    command: withoutUnknown(new Walker(given.command), "Command", level, judge),
  };
  return edit.action === null && edit.command === null ? null : edit;
}

function directory(bytes: Buffer, pair: Pair): Edit {
  return withoutUnknown(new Walker(bytes), "Directory", levelOfServer(pair), (field) => {
    throw refused(field, "input-unsupported", pair);
  });
}

function refused(field: UnknownField, code: "action-unsupported" | "input-unsupported", pair: Pair) {
  const isSalt = field.path === "salt";
  const what = field.element === null ? `The field ${field.path} of ${field.message}` : nameOf(field);
  return refusalOf(
    // What a salt is for, its own item explains.
    { feature: isSalt ? { ...FEATURE, drift: ["D38"] } : FEATURE },
    {
      code,
      has: "refuses messages with fields that it does not know, as its profile says",
      fix: `remove ${isSalt ? "the salt" : "it"}, or relax the profile of the upstream`,
    },
    "lenient",
    { what, element: field.element, text: field.path },
    pair,
  );
}

function nameOf({ message, path }: UnknownField): string {
  return `${message}.${path.slice(path.lastIndexOf(".") + 1)}`;
}

function result(bytes: Buffer, originals: Originals, pair: Pair): Promise<Edit> {
  const level = levelOfClient(pair);
  const isKept = attributesChange(pair);
  const judge: Judge = ({ message, number }) =>
    isKept && ATTRIBUTES[message]?.includes(number) === true ? "keep" : "drop";
  return editOutputDirectories(bytes, originals, () => ({
    key: `strict-canonical ${level}${isKept ? " with attributes" : ""}`,
    edit: () => (tree) => withoutUnknown(new Walker(tree), "Directory", level, judge),
  }));
}

/** Whether attributes of outputs have yet to be put into the form that the client reads: that runs after this on the way to it. */
function attributesChange({ client, server }: Pair): boolean {
  const { reads = [] } = client.features["node-properties"] ?? {};
  const { writes = [] } = server.features["node-properties"] ?? {};
  return !reads.every((form) => form === "none") && writes.some((form) => !reads.includes(form));
}

/** Of a server that does not say, only what all know is certain. */
function levelOfServer({ server: { version } }: Pair): Level {
  return version !== null && isLevel(version) ? version : "2018-11";
}

/** A client that does not say may know everything. */
function levelOfClient({ client: { version } }: Pair): Level {
  return version !== null && isLevel(version) ? version : NEWEST;
}

/** The last value of a field, null if it is not there. */
function lastIn(message: Buffer, number: number): Buffer | null {
  let value: Buffer | null = null;
  const field = new Walker(message);
  while (field.next()) if (field.number === number && field.wireType === WireType.LEN) value = field.bytes();
  return value;
}
