/** Outputs of an ActionResult under other paths. */

import { textIn } from "../wire/fields.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { Outputs } from "./output-links.ts";
import type { Edit } from "./translator.ts";

const LISTS: readonly number[] = Object.values(Outputs);

/** Field number of `path` in entries of all lists. */
const PATH = 1;

/**
 * The result with other paths, in the order it has. `renameFor` sees all paths before, and says what each becomes; null for a result that stays as it is.
 * @throws WireError for broken bytes.
 */
export function renameOutputs(
  result: Buffer,
  renameFor: (paths: readonly string[]) => ((path: string) => string) | null,
): Edit {
  const paths: string[] = [];
  const field = new Walker(result);
  while (field.next()) if (isOutput(field)) paths.push(textIn(field.bytes(), PATH));
  const rename = renameFor(paths);
  if (rename === null) return null;
  return rewriteMessage(new Walker(result), (output, out) => {
    if (!isOutput(output)) return "keep";
    const path = textIn(output.bytes(), PATH);
    const renamed = rename(path);
    if (renamed === path) return "keep";
    return rewriteField(
      output,
      out,
      ({ number, wireType }) => (number === PATH && wireType === WireType.LEN ? "drop" : "keep"),
      (entry) => {
        if (renamed !== "") entry.text(PATH, renamed);
      },
    );
  });
}

function isOutput({ number, wireType }: Walker): boolean {
  return wireType === WireType.LEN && LISTS.includes(number);
}
