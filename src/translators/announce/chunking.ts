/** What capabilities say of SplitBlob and SpliceBlob (D22). */
import { FieldWriter } from "../../wire/field-writer.ts";
import { type Walker, WireType } from "../../wire/walker.ts";
import { hasMethod } from "../chunking/forms.ts";
import { AVERAGE_CHUNK_BYTES } from "../chunking/split.ts";
import { mayDiffer } from "../declare.ts";
import { SPLICE_BLOB, SPLIT_BLOB } from "../methods.ts";
import type { Announcement, Edit, Pair } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";

/** Field numbers of CacheCapabilities. */
const SPLIT = 9;
const SPLICE = 10;
const FAST_CDC = 11;
const REP_MAX_CDC = 12;

/** How the bridge cuts: the FastCdc2020Params. */
const OWN_PARAMETERS = ownParameters();

/**
 * Takes away the bits of methods that calls would be refused of, the parameters where neither is left, and the draft that had the number of
 * fast_cdc_2020_params (P05). Where the operator wants chunks, adds the bit of every method that the bridge serves or the upstream has; where the bridge cuts, its parameters take
 * the place of the server's.
 */
export function announceChunking(announcement: Announcement): Edit {
  const split = whoServes(SPLIT_BLOB, announcement);
  const splice = whoServes(SPLICE_BLOB, announcement);
  const some = split !== "nobody" || splice !== "nobody";
  const own = new Map<number, boolean>([
    [SPLIT, split === "bridge" || isWanted(SPLIT_BLOB, announcement)],
    [SPLICE, splice === "bridge" || isWanted(SPLICE_BLOB, announcement)],
    [FAST_CDC, split === "bridge"],
  ]);
  const stays = (field: Walker): boolean => {
    if (own.get(field.number) === true) return isOwn(field);
    switch (field.number) {
      case SPLIT:
        return split !== "nobody";
      case SPLICE:
        return splice !== "nobody";
      case FAST_CDC:
        return some && !isDraft(field);
      case REP_MAX_CDC:
        return some && split !== "bridge";
      default:
        return true;
    }
  };
  const there = new Set<number>();
  return editCachePart(
    announcement.bytes,
    (field) => {
      if (!stays(field)) return "drop";
      there.add(field.number);
      return "keep";
    },
    (out) => {
      for (const [number, wanted] of own) {
        if (!wanted || there.has(number)) continue;
        if (number === FAST_CDC) out.bytes(FAST_CDC, OWN_PARAMETERS);
        else out.varint(number, true);
      }
    },
  );
}

/** Whether the lens runs for a pair that agrees: where the server lacks one of the methods, or the revisions may differ. */
export function saysChunking(pair: Pair): boolean {
  const { missingMethods } = pair.server;
  return mayDiffer(pair) || missingMethods.includes(SPLIT_BLOB) || missingMethods.includes(SPLICE_BLOB);
}

/** Who answers calls of a method. A version number is no proof that the upstream lacks it: then the upstream itself tells. */
function whoServes(
  method: string,
  { client, server, pair, required }: Announcement,
): "bridge" | "upstream" | "nobody" {
  const has = hasMethod(server.reads, method);
  if (required && !has && client.writes.includes("chunks")) return "bridge";
  if (pair.server.missingMethods.includes(method)) return "nobody";
  const { source } = server.evidence;
  return has || source === "advertised" || source === "assumed" ? "upstream" : "nobody";
}

/** Whether the operator wants a method announced that the upstream is known to have, and may not announce itself. */
function isWanted(method: string, { client, server, required }: Announcement): boolean {
  return required && client.writes.includes("chunks") && hasMethod(server.reads, method);
}

/** Whether a field says what the bridge would. */
function isOwn(field: Walker): boolean {
  if (field.number === FAST_CDC)
    return field.wireType === WireType.LEN && field.bytes().equals(OWN_PARAMETERS);
  return field.wireType === WireType.VARINT && field.bool();
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

function ownParameters(): Buffer {
  const out = new FieldWriter();
  out.varint(1, AVERAGE_CHUNK_BYTES);
  return out.toBuffer();
}
