/** Finds the fields of a message that a level does not know, those of messages inside of it included. */
import { rewriteMessage, type Verdict } from "../wire/rewrite.ts";
import { type Walker, WireType } from "../wire/walker.ts";
import { knownFields } from "./known-fields.ts";
import { allElements, type ElementId } from "./ledger.ts";
import { type Level, NEWEST } from "./versions.ts";

const V2 = "build.bazel.remote.execution.v2";
const elements: ReadonlySet<string> = new Set(allElements());

/** A field that a level does not know. */
export interface UnknownField {
  /** The message that has it, in short: `FileNode`. */
  readonly message: string;
  readonly number: number;
  /** The way to it: `files.node_properties`; a number where no level knows it. */
  readonly path: string;
  /** The ledger's entry; null where no level knows it. */
  readonly element: ElementId | null;
}

/** What becomes of an unknown field; throws to refuse the message. */
export type Judge = (field: UnknownField) => Verdict;

/**
 * A message of the main package without those fields that `level` does not know and `judge` drops; null if there are none. A known number with the wire
 * type of another field is unknown, as it is to every reader.
 * @throws what `judge` throws, and WireError for broken bytes.
 */
export function withoutUnknown(message: Walker, name: string, level: Level, judge: Judge): Buffer[] | null {
  return edited(message, `${V2}.${name}`, { level, judge, path: "" });
}

interface Way {
  readonly level: Level;
  readonly judge: Judge;
  readonly path: string;
}

function edited(message: Walker, name: string, { level, judge, path }: Way): Buffer[] | null {
  const fields = knownFields(level, name);
  return rewriteMessage(message, (field, out) => {
    const known = fields.get(field.number);
    if (known === undefined || field.wireType !== (known.hasLength ? WireType.LEN : WireType.VARINT))
      return judge(unknown(field.number, name, path));
    if (known.message === null) return "keep";
    const edit = edited(field.enter(), known.message, { level, judge, path: `${path}${known.name}.` });
    if (edit === null) return "keep";
    out.message(field.number, edit);
    return "drop";
  });
}

function unknown(number: number, name: string, path: string): UnknownField {
  const field = knownFields(NEWEST, name).get(number)?.name;
  const element = `${name}.${field}`;
  return {
    message: name.slice(name.lastIndexOf(".") + 1),
    number,
    path: `${path}${field ?? number}`,
    element: elements.has(element) ? (element as ElementId) : null,
  };
}
