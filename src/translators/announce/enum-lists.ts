/** Edits lists of enum values inside of capabilities, and leaves every other byte alone. */
import type { FieldWriter } from "../../wire/field-writer.ts";
import type { Verdict } from "../../wire/rewrite.ts";
import { MAX_VARINT_BYTES } from "../../wire/varint.ts";
import { type Walker, WireType } from "../../wire/walker.ts";

/**
 * For a visitor at a field of a repeated enum, packed or not: takes away the values that `hidden` names and keeps the order and the bytes of the
 * others. A field of another wire type stays as it is.
 */
export function hideValues(field: Walker, out: FieldWriter, hidden: (value: number) => boolean): Verdict {
  if (field.wireType === WireType.VARINT) return hidden(field.int32()) ? "drop" : "keep";
  if (field.wireType !== WireType.LEN) return "keep";
  const packed = field.bytes();
  const kept = valuesIn(packed).filter(({ value }) => !hidden(value));
  const bytes = Buffer.concat(kept.map(({ start, end }) => packed.subarray(start, end)));
  if (bytes.length === packed.length) return "keep";
  if (bytes.length > 0) out.bytes(field.number, bytes);
  return "drop";
}

interface Packed {
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** The values of a packed list and where they stand. What is cut off at its end, or longer than a varint, counts as a value of -1: unknown to everybody. */
function valuesIn(packed: Buffer): Packed[] {
  const values: Packed[] = [];
  for (let start = 0; start < packed.length; ) {
    let end = start;
    let value = 0;
    while (end < packed.length && packed[end]! >= 0x80) {
      if (end - start < 5) value |= (packed[end]! & 0x7f) << (7 * (end - start));
      end++;
    }
    const whole = end < packed.length && end - start < MAX_VARINT_BYTES;
    if (whole && end - start < 5) value |= packed[end]! << (7 * (end - start));
    end = Math.min(end + 1, packed.length);
    values.push({ value: whole ? value : -1, start, end });
    start = end;
  }
  return values;
}
