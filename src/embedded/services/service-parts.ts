import type { Behaviour } from "../behaviour/behaviour.ts";
import type { Digests } from "../digests.ts";
import type { ActionCache } from "../store/action-cache.ts";
import type { BlobStore } from "../store/blob-store.ts";

/** What the services of one server work with. */
export interface ServiceParts {
  readonly behaviour: Behaviour;
  readonly digests: Digests;
  readonly store: BlobStore;
  readonly actionCache: ActionCache;
}
