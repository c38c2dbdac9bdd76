import { COMPRESSORS, compressorByNumber } from "../../compression/compressors.ts";
import { editCachePart } from "../announce/cache-part.ts";
import { hasCompressor } from "../announce/compressors.ts";
import { hideValues } from "../announce/enum-lists.ts";
import type { Announcement, Edit } from "../translator.ts";

/** CacheCapabilities.supported_compressors. */
const SUPPORTED = 6;

/**
 * The lens on `supported_compressors`: takes away what the client's revision does not have and what the upstream announces without having it. Where compression
 * is wanted whatever the upstream has, those that the bridge adds come behind: some clients take the first (ecosystem rule 7).
 */
export function announceStreamed({ bytes, server, pair, required }: Announcement): Edit {
  const listed = new Set<number>();
  const hidden = (number: number): boolean => {
    listed.add(number);
    const compressor = compressorByNumber(number);
    if (compressor === null || !hasCompressor(pair.client, number)) return true;
    return number !== 0 && !required && !server.reads.includes(compressor.segment);
  };
  return editCachePart(
    bytes,
    (field, out) => (field.number === SUPPORTED ? hideValues(field, out, hidden) : "keep"),
    (out) => {
      if (!required) return;
      for (const { number } of COMPRESSORS)
        if (!listed.has(number) && hasCompressor(pair.client, number)) out.varint(SUPPORTED, number);
    },
  );
}
