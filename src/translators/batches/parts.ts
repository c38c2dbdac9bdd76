/** Requests with a long list of entries, cut into several that each have all the other fields: payloads and unknown fields stay as they came. */
import { FieldWriter } from "../../wire/field-writer.ts";
import { Walker, WireType } from "../../wire/walker.ts";

/**
 * The request in as many parts as it takes for the entries of none to weigh more than `most`, in order. `weigh` tells what the entry at hand counts, and null for
 * one that is in no part; one that is heavier than `most` is alone. Each part is made when it is asked for.
 * @throws WireError for broken bytes.
 */
export function* partsOf(
  request: Buffer,
  entries: number,
  most: number,
  weigh: (entry: Walker) => number | null,
): Generator<Buffer, void, void> {
  const rest = besides(request, entries);
  let part = beginning(rest);
  let total = rest.length;
  let some = false;
  const field = new Walker(request);
  while (field.next()) {
    const weight = isEntry(field, entries) ? weigh(field) : null;
    if (weight === null) continue;
    if (some && total + weight > most) {
      yield part.toBuffer();
      part = beginning(rest);
      total = rest.length;
    }
    part.copy(field);
    total += weight;
    some = true;
  }
  if (some) yield part.toBuffer();
}

/** The fields of a request that are no entries, one after the other. @throws WireError for broken bytes. */
export function besides(request: Buffer, entries: number): Buffer {
  const kept: Buffer[] = [];
  const field = new Walker(request);
  while (field.next())
    if (!isEntry(field, entries)) kept.push(request.subarray(field.fieldStart, field.fieldEnd));
  return Buffer.concat(kept);
}

function beginning(rest: Buffer): FieldWriter {
  const part = new FieldWriter();
  const field = new Walker(rest);
  while (field.next()) part.copy(field);
  return part;
}

function isEntry({ number, wireType }: Walker, entries: number): boolean {
  return number === entries && wireType === WireType.LEN;
}
