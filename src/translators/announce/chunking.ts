/** What capabilities say of SplitBlob and SpliceBlob (D22). */
import { type Walker, WireType } from "../../wire/walker.ts";
import { mayDiffer } from "../declare.ts";
import { SPLICE_BLOB, SPLIT_BLOB } from "../methods.ts";
import type { Announcement, Edit, Pair } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";

/** Field numbers of CacheCapabilities. */
const SPLIT = 9;
const SPLICE = 10;
const FAST_CDC = 11;
const REP_MAX_CDC = 12;

/**
 * Takes away the bits of methods that calls would be refused of, the parameters where neither is left, and the draft that had the number of
 * fast_cdc_2020_params (P05).
 */
export function announceChunking(announcement: Announcement): Edit {
  const split = isServed(SPLIT_BLOB, announcement);
  const splice = isServed(SPLICE_BLOB, announcement);
  return editCachePart(announcement.bytes, (field) => {
    switch (field.number) {
      case SPLIT:
        return split ? "keep" : "drop";
      case SPLICE:
        return splice ? "keep" : "drop";
      case FAST_CDC:
        return (split || splice) && !isDraft(field) ? "keep" : "drop";
      case REP_MAX_CDC:
        return split || splice ? "keep" : "drop";
      default:
        return "keep";
    }
  });
}

/** Whether the lens runs for a pair that agrees: where the server lacks one of the methods, or the revisions may differ. */
export function saysChunking(pair: Pair): boolean {
  const { missingMethods } = pair.server;
  return mayDiffer(pair) || missingMethods.includes(SPLIT_BLOB) || missingMethods.includes(SPLICE_BLOB);
}

/** Not where the upstream is known to lack the method. A version number is no proof: then the upstream itself tells. */
function isServed(method: string, { server, pair }: Announcement): boolean {
  if (pair.server.missingMethods.includes(method)) return false;
  const { source } = server.evidence;
  return server.reads.includes("chunks") || source === "advertised" || source === "assumed";
}

/** Parameters have an average size, a varint that is not 0; the draft has something else in its place. */
function isDraft(field: Walker): boolean {
  if (field.wireType !== WireType.LEN) return true;
  const parameter = field.enter();
  let average = 0n;
  let empty = true;
  while (parameter.next()) {
    empty = false;
    if (parameter.number === 1 && parameter.wireType === WireType.VARINT) average = parameter.int64();
  }
  return !empty && average === 0n;
}
