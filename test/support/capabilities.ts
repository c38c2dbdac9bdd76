import type { Api } from "../../src/client/api.ts";
import { codec, type Draft } from "../../src/spec/codec.ts";
import { V2 } from "./reapi-client.ts";

/** Capabilities as a test writes them. */
export type CapabilitiesDraft = Draft<Api<"ServerCapabilities">>;

/** Bytes of the capabilities of a server of API 2.0 to 2.`minor`, with SHA256 and batches of a million bytes, and `change`d. */
export function capabilities(minor: number, change: CapabilitiesDraft = {}): Buffer {
  return codec().encode(`${V2}.ServerCapabilities`, {
    cacheCapabilities: {
      digestFunctions: [1],
      actionCacheUpdateCapabilities: { updateEnabled: true },
      maxBatchTotalSizeBytes: 1_000_000n,
    },
    executionCapabilities: { digestFunction: 1, digestFunctions: [1], execEnabled: true },
    lowApiVersion: { major: 2 },
    highApiVersion: { major: 2, minor },
    ...change,
  });
}

/** The highest version in capabilities, as `2.3`; null if there is none. */
export function highest(message: Buffer): string | null {
  const { highApiVersion } = codec().decode(`${V2}.ServerCapabilities`, message);
  return highApiVersion && `${highApiVersion.major}.${highApiVersion.minor}`;
}
