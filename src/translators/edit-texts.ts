/** Edits strings that lie anywhere in a message, and nothing else. */
import type { FieldWriter } from "../wire/field-writer.ts";
import { rewriteField, rewriteMessage, type Verdict } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Edit } from "./translator.ts";

/** The new string, or the one given to leave the field as it is. */
export type TextEdit = (text: string) => string;

/**
 * Edits the strings at `paths`, each a list of field numbers from the message down. Null if none changes. Fields of another wire type than a
 * string or message are left alone, as every reader skips them.
 * @throws WireError as the walker does, `utf8` included.
 */
export function editTexts(message: Buffer, paths: readonly (readonly number[])[], edit: TextEdit): Edit {
  return rewriteMessage(new Walker(message), visitor(paths, 0, edit));
}

function visitor(paths: readonly (readonly number[])[], depth: number, edit: TextEdit) {
  return (field: Walker, out: FieldWriter): Verdict => {
    if (field.wireType !== WireType.LEN) return "keep";
    const below = paths.filter((path) => path[depth] === field.number);
    if (below.length === 0) return "keep";
    if (below.some((path) => path.length > depth + 1))
      return rewriteField(field, out, visitor(below, depth + 1, edit));
    const text = field.text();
    const edited = edit(text);
    if (edited === text) return "keep";
    out.text(field.number, edited);
    return "drop";
  };
}
