import { knows } from "../spec/ledger.ts";
import type { Level } from "../spec/versions.ts";
import { SAFE_DIALECT, type UpstreamDialect } from "../upstream/dialect.ts";
import { digestFunctionByNumber } from "../wire/digest-function.ts";
import type { Advertised } from "./advertised.ts";
import type { ServerFacts } from "./profile.ts";

const STORAGE = "/build.bazel.remote.execution.v2.ContentAddressableStorage";

/** What is known of an upstream that concerns how the bridge itself speaks to it. */
export interface UpstreamKnowledge {
  /** The level it is held to follow; null where nobody knows. */
  readonly level: Level | null;
  /** Paths of methods that it is known to lack. */
  readonly missingMethods: readonly string[];
  /** The digest functions it is known to offer, the preferred first; empty where nobody knows. */
  readonly digestFunctions: readonly number[];
  /** Whether its profile says that it reads a segment for the digest function; null where none says either. */
  readonly functionSegment: boolean | null;
  /** What it announced; null before it was asked. */
  readonly advertised: Advertised | null;
  /** What its profile, or itself, says of its limits. */
  readonly facts: Pick<ServerFacts, "batchLimit" | "messageLimit">;
}

/**
 * How the bridge speaks to an upstream: batches only where their methods are known to be there, a segment for the digest function only where it
 * is known to be read, or has to be, the functions it is known to offer, and the limits that are known; the rest as every upstream understands it (D08, D14, D18).
 */
export function upstreamDialect(known: UpstreamKnowledge): UpstreamDialect {
  const { level, missingMethods, digestFunctions, functionSegment, advertised, facts } = known;
  const has = (path: string): boolean => level !== null && !missingMethods.includes(path);
  const byLevel = level !== null && knows(level, "behaviour:function-segment");
  // There is no other way to a blob of such a function.
  const offersLater = digestFunctions.some((number) => digestFunctionByNumber(number)?.implicit === false);
  return {
    ...SAFE_DIALECT,
    maxMessageBytes: facts.messageLimit?.is ?? SAFE_DIALECT.maxMessageBytes,
    maxBatchBytes:
      (advertised?.statesStore === true ? advertised.maxBatchBytes : facts.batchLimit?.announced) ??
      SAFE_DIALECT.maxBatchBytes,
    batchRead: has(`${STORAGE}/BatchReadBlobs`),
    batchUpdate: has(`${STORAGE}/BatchUpdateBlobs`),
    digestFunctions: digestFunctions.length > 0 ? digestFunctions : SAFE_DIALECT.digestFunctions,
    functionSegment: functionSegment ?? (byLevel || offersLater),
  };
}
