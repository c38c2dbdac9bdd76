import { knows } from "../spec/ledger.ts";
import type { Level } from "../spec/versions.ts";
import { SAFE_DIALECT, type UpstreamDialect } from "../upstream/dialect.ts";
import type { Advertised } from "./advertised.ts";

const STORAGE = "/build.bazel.remote.execution.v2.ContentAddressableStorage";

/** What is known of an upstream that concerns how the bridge itself speaks to it. */
export interface UpstreamKnowledge {
  /** The level it is held to follow; null where nobody knows. */
  readonly level: Level | null;
  /** Paths of methods that it is known to lack. */
  readonly missingMethods: readonly string[];
  /** What it announced; null before it was asked. */
  readonly advertised: Advertised | null;
}

/**
 * How the bridge speaks to an upstream: batches only where their methods are known to be there, a segment for the digest function only where it
 * is known to be read, and the announced functions; the rest as every upstream understands it (D08, D14, D18).
 */
export function upstreamDialect({ level, missingMethods, advertised }: UpstreamKnowledge): UpstreamDialect {
  const has = (path: string): boolean => level !== null && !missingMethods.includes(path);
  const functions = advertised?.storeFunctions ?? [];
  return {
    ...SAFE_DIALECT,
    maxBatchBytes: advertised?.maxBatchBytes ?? SAFE_DIALECT.maxBatchBytes,
    batchRead: has(`${STORAGE}/BatchReadBlobs`),
    batchUpdate: has(`${STORAGE}/BatchUpdateBlobs`),
    digestFunctions: functions.length > 0 ? functions : SAFE_DIALECT.digestFunctions,
    functionSegment: level !== null && knows(level, "behaviour:function-segment"),
  };
}
