import { Field, WITH_INDEXING } from "./field.ts";
import { internName } from "./name.ts";
import { staticEntries } from "./static-table.ts";
import { prefersHuffman, rawBytes } from "./string-literal.ts";

/** The static table of RFC 7541 Appendix A as fields, by index; the one at index 0 is not used. */
export const staticFields: readonly Field[] = staticEntries.map(([name, value], index) => {
  const huffman = prefersHuffman(value);
  const raw = rawBytes(value, huffman);
  return new Field(
    internName(name),
    WITH_INDEXING,
    raw,
    0,
    raw.length,
    huffman,
    value.length,
    true,
    false,
    index,
  );
});
