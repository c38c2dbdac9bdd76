/** Edits a message inside of others. */
import type { Edit } from "../translators/translator.ts";
import { isPacked } from "../wire/any.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";

/**
 * Edits the message in field `number`; null where there is none, or nothing changes. Of a field that comes twice the last one counts, as for every reader of
 * its parts.
 */
export async function editField(
  message: Buffer,
  number: number,
  edit: (found: Buffer) => Edit | Promise<Edit>,
): Promise<Edit> {
  let at = -1;
  let found: Buffer | null = null;
  const field = new Walker(message);
  while (field.next()) {
    if (field.number !== number || field.wireType !== WireType.LEN) continue;
    at = field.fieldStart;
    found = field.bytes();
  }
  const edited = found === null ? null : await edit(found);
  if (edited === null) return null;
  return rewriteMessage(new Walker(message), (current, out) => {
    if (current.fieldStart !== at) return "keep";
    out.message(number, edited);
    return "drop";
  });
}

/** Edits what a `google.protobuf.Any` holds, if it is of this type (`package.Message`). */
export async function editAny(
  any: Buffer,
  type: string,
  edit: (value: Buffer) => Edit | Promise<Edit>,
): Promise<Edit> {
  return isPacked(new Walker(any), type) ? editField(any, 2, edit) : null;
}
