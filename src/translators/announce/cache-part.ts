/** Edits the part about the store inside of a `ServerCapabilities`. */
import type { FieldWriter } from "../../wire/field-writer.ts";
import { type FieldVisitor, rewriteField, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import type { Edit } from "../translator.ts";

/** ServerCapabilities.cache_capabilities. */
const CACHE = 1;

/**
 * Runs `visit` over the fields of every `CacheCapabilities` in the message, then `append`; null if all stay. An answer without that part is of a server
 * without a store, and stays without.
 * @throws WireError for broken bytes.
 */
export function editCachePart(
  capabilities: Buffer,
  visit: FieldVisitor,
  append?: (out: FieldWriter) => void,
): Edit {
  return rewriteMessage(new Walker(capabilities), (field, out) =>
    field.number === CACHE && field.wireType === WireType.LEN
      ? rewriteField(field, out, visit, append)
      : "keep",
  );
}
