/** The lists of compressors in capabilities (D15, D17, P07). */
import type { Dialect } from "../../peers/dialect.ts";
import { type ElementId, knows } from "../../spec/ledger.ts";
import { isLevel } from "../../spec/versions.ts";
import type { Announcement, Edit } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";
import { hideValues } from "./enum-lists.ts";

const VALUES = "build.bazel.remote.execution.v2.Compressor.Value";

/** Names of the compressors, by number. What comes after is of drafts, such as ZSTD_DICT. */
const NAMES = ["IDENTITY", "ZSTD", "DEFLATE", "BROTLI"];
const IDENTITY = 0;

/**
 * The lens on the list in this field of CacheCapabilities: takes away the values that the client's revision does not have, and all but IDENTITY where a
 * compressed blob would be refused. The order stays, since some clients take the first (ecosystem rule 7).
 */
export function announceCompressors(number: 6 | 7): (announcement: Announcement) => Edit {
  return ({ bytes, server, pair: { client } }) => {
    const served = server.reads.includes("compressed");
    const hidden = (value: number): boolean =>
      !hasCompressor(client, value) || (!served && value !== IDENTITY);
    return editCachePart(bytes, (field, out) =>
      field.number === number ? hideValues(field, out, hidden) : "keep",
    );
  };
}

/** Whether a client has the compressor: by its profile, or its revision; one of which nobody knows that has all there are. */
export function hasCompressor({ version, facts }: Dialect<"client">, value: number): boolean {
  const name = NAMES[value];
  if (name === undefined) return false;
  // Programs of older revisions may use it all the same.
  if (facts.compressors?.are.some((own) => own === name)) return true;
  // Before 2.3 no client read the list.
  return version === null || !isLevel(version) || knows(version, `${VALUES}.${name}` as ElementId);
}
