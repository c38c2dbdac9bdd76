/** The list of compressors for batches in capabilities (D17). */
import { COMPRESSORS } from "../../compression/compressors.ts";
import { joined } from "../../wire/rewrite.ts";
import type { Announcement, Edit } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";
import { hasCompressor } from "./compressors.ts";
import { hideValues } from "./enum-lists.ts";

const BATCH_COMPRESSORS = 7;

/**
 * The upstream's own list, as the client can use it. Where that has none, and the operator wants it, the list has what the bridge decodes and the client knows: to
 * send less to the bridge is worth it where that is near the upstream.
 */
export function announceBatchCompressors(announcement: Announcement): Edit {
  const { bytes, server, required, pair } = announcement;
  if (!required || server.reads.includes("compressed")) return announceOwn(announcement);
  const numbers = COMPRESSORS.map(({ number }) => number).filter((number) =>
    hasCompressor(pair.client, number),
  );
  let written = false;
  const edited = editCachePart(
    bytes,
    ({ number }) => (number === BATCH_COMPRESSORS ? "drop" : "keep"),
    (out) => {
      if (numbers.length > 0 && !written) out.bytes(BATCH_COMPRESSORS, Buffer.from(numbers));
      written = true;
    },
  );
  // A second run changes nothing.
  return edited === null || joined(edited, bytes).equals(bytes) ? null : edited;
}

/** The upstream's list without the values that the client's revision does not have, and without all but IDENTITY where it takes plain data only; in its order. */
function announceOwn({ bytes, server, pair: { client } }: Announcement): Edit {
  const served = server.reads.includes("compressed");
  const hidden = (value: number): boolean => !hasCompressor(client, value) || (!served && value !== 0);
  return editCachePart(bytes, (field, out) =>
    field.number === BATCH_COMPRESSORS ? hideValues(field, out, hidden) : "keep",
  );
}
