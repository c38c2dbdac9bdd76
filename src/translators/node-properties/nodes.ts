/** Moves attributes from the fields of one form to those of the other, wherever nodes carry them (D31). */
import { DirectoryField } from "../../tree/directory.ts";
import type { FieldWriter } from "../../wire/field-writer.ts";
import { type FieldVisitor, rewriteMessage, type Verdict } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import type { Edit } from "../translator.ts";
import { type Fail, listOf, messageOf, type Nodes } from "./values.ts";

/** The numbers of `node_properties` in one message. */
export type Place = Readonly<Record<Nodes, number>>;

/** Where they are in each message that has them. */
export const PLACES = {
  directory: { list: 4, message: 5 },
  file: { list: 5, message: 6 },
  symlink: { list: 3, message: 4 },
  outputFile: { list: 6, message: 7 },
  outputSymlink: { list: 3, message: 4 },
} as const satisfies Readonly<Record<string, Place>>;

/** The number of what a node is called by: `name` of nodes, `path` of outputs. */
const NAME = 1;

const OTHER = { list: "message", message: "list" } as const;

/**
 * A message with its own attributes in the form `to`, edited by `visit` in all else. One that has them in that form already serves readers of either, and
 * keeps both. Null if nothing changes.
 * @throws what `fail` throws, and WireError for broken bytes.
 */
function withProperties(
  message: () => Walker,
  place: Place,
  to: Nodes,
  fail: Fail,
  visit: FieldVisitor = keep,
): Edit {
  const source = place[OTHER[to]];
  const found = propertiesIn(message(), source, place[to]);
  return rewriteMessage(
    message(),
    (field, out) =>
      found.length > 0 && field.number === source && field.wireType === WireType.LEN
        ? "drop"
        : visit(field, out),
    (out) => {
      if (found.length > 0) write(out, place[to], to, found, fail);
    },
  );
}

/** For a visitor at a node, or at an output: puts its attributes into the form `to`. */
export function moveProperties(
  field: Walker,
  out: FieldWriter,
  place: Place,
  to: Nodes,
  fail: Fail,
): Verdict {
  const named: Fail = (attribute, why) =>
    fail(`${attribute} of ${JSON.stringify(nameOf(field.enter()))}`, why);
  const edited = withProperties(() => field.enter(), place, to, named);
  if (edited === null) return "keep";
  out.message(field.number, edited);
  return "drop";
}

/** A Directory with its own attributes, and those of files and links in it, in the form `to`. Null if there are none in the other. */
export function directoryWith(directory: Buffer, to: Nodes, fail: Fail): Edit {
  const own: Fail = (attribute, why) => fail(`${attribute} of a directory`, why);
  return withProperties(
    () => new Walker(directory),
    PLACES.directory,
    to,
    own,
    (field, out) => {
      if (field.wireType !== WireType.LEN) return "keep";
      if (field.number === DirectoryField.files) return moveProperties(field, out, PLACES.file, to, fail);
      if (field.number === DirectoryField.symlinks)
        return moveProperties(field, out, PLACES.symlink, to, fail);
      return "keep";
    },
  );
}

function keep(): Verdict {
  return "keep";
}

/** The payloads in `source`; none if there is anything in `target`. */
function propertiesIn(message: Walker, source: number, target: number): Buffer[] {
  const found: Buffer[] = [];
  while (message.next()) {
    if (message.wireType !== WireType.LEN) continue;
    if (message.number === target) return [];
    if (message.number === source) found.push(message.bytes());
  }
  return found;
}

function write(out: FieldWriter, number: number, to: Nodes, found: readonly Buffer[], fail: Fail): void {
  if (to === "message") out.bytes(number, messageOf(found, fail));
  else for (const pair of listOf(Buffer.concat(found), fail)) out.bytes(number, pair);
}

/** What a node, or an output, is called. */
export function nameOf(node: Walker): string {
  let name = "";
  while (node.next())
    if (node.number === NAME && node.wireType === WireType.LEN) name = node.bytes().toString();
  return name;
}
