import type { Level } from "../../spec/versions.ts";
import type { Compressor } from "../compressors.ts";
import type { Digests } from "../digests.ts";
import type { ActionCache } from "../store/action-cache.ts";
import type { BlobStore } from "../store/blob-store.ts";

/** What the services of one server work with. */
export interface ServiceParts {
  readonly level: Level;
  readonly digests: Digests;
  /** What the level has; the preferred one first. */
  readonly compressors: readonly Compressor[];
  readonly store: BlobStore;
  readonly actionCache: ActionCache;
}
