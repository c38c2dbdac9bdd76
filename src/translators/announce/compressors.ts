/** Which compressors a client can be told of (D15, D17, P07). */
import type { Dialect } from "../../peers/dialect.ts";
import { type ElementId, knows } from "../../spec/ledger.ts";
import { isLevel } from "../../spec/versions.ts";

const VALUES = "build.bazel.remote.execution.v2.Compressor.Value";

/** Names of the compressors, by number. What comes after is of drafts, such as ZSTD_DICT. */
const NAMES = ["IDENTITY", "ZSTD", "DEFLATE", "BROTLI"];

/** Whether a client has the compressor: by its profile, or its revision; one of which nobody knows that has all there are. */
export function hasCompressor({ version, facts }: Dialect<"client">, value: number): boolean {
  const name = NAMES[value];
  if (name === undefined) return false;
  // Programs of older revisions may use it all the same.
  if (facts.compressors?.are.some((own) => own === name)) return true;
  // Before 2.3 no client read the list.
  return version === null || !isLevel(version) || knows(version, `${VALUES}.${name}` as ElementId);
}
