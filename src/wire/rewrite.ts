/** Changes some fields of a protobuf message and leaves every other byte alone. */
import { FieldWriter } from "./field-writer.ts";
import type { Walker } from "./walker.ts";

/** What becomes of a field: it stays as it is, or goes (a replacement may have been written instead). */
export type Verdict = "keep" | "drop";

/** Looks at the current field of a walker, may write other fields to `out`, and says whether to keep this one. */
export type FieldVisitor = (field: Walker, out: FieldWriter) => Verdict;

/**
 * Runs `visit` over each field, then `append` for fields to add. Returns null if nothing was dropped or added, so that the caller goes
 * on with the original; else the new message in slices, sorted by field number (see {@link FieldWriter}).
 * @throws WireError as the walker and the writer do.
 */
export function rewriteMessage(
  message: Walker,
  visit: FieldVisitor,
  append?: (out: FieldWriter) => void,
): Buffer[] | null {
  const out = new FieldWriter();
  let kept = 0;
  let dropped = false;
  while (message.next()) {
    if (visit(message, out) === "keep") {
      out.copy(message);
      kept += message.fieldEnd - message.fieldStart;
    } else {
      dropped = true;
    }
  }
  append?.(out);
  return dropped || out.byteLength !== kept ? out.finish() : null;
}

/**
 * {@link rewriteMessage} for the message inside `field`: to be returned by a visitor of the outer message.
 * @throws WireError as the walker and the writer do.
 */
export function rewriteField(
  field: Walker,
  out: FieldWriter,
  visit: FieldVisitor,
  append?: (out: FieldWriter) => void,
): Verdict {
  const slices = rewriteMessage(field.enter(), visit, append);
  if (slices === null) return "keep";
  out.message(field.number, slices);
  return "drop";
}

/** What an edit made: one buffer, the very `original` where nothing was changed. */
export function joined(slices: readonly Buffer[] | null, original: Buffer): Buffer {
  if (slices === null) return original;
  return slices.length === 1 ? slices[0]! : Buffer.concat(slices);
}
