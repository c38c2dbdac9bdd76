/** What an action cache can do. */
import type { BlobDigest } from "./blob-store.ts";

/**
 * Results of actions by instance name and digest of the Action. Safe for any number of concurrent callers.
 *
 * Results are bytes: an ActionResult exactly as it was received or made.
 */
export interface ActionCache {
  /** The result, or null if there is none. */
  get(instance: string, action: BlobDigest): Promise<Buffer | null>;
  /** Stores a result in place of an earlier one. */
  put(instance: string, action: BlobDigest, result: Buffer): Promise<void>;
}
