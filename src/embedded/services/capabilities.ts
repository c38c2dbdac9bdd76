/** The service Capabilities: what a server of the level announces (D01, D02, D10, D15, D18, D33). */
import { enums } from "../../spec/generated/enums.ts";
import { announcedVersion } from "../../spec/versions.ts";
import { supportedNodeProperties } from "../execution/node-properties.ts";
import type { Answer, Methods, V2 } from "../rpc/methods.ts";
import { MAX_BATCH_BYTES } from "./content-addressable-storage.ts";
import type { ServiceParts } from "./service-parts.ts";
import { AVERAGE_CHUNK_BYTES } from "./split-blob.ts";

const GET_CAPABILITIES = "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities";

/** Registers the service. The answer is the same for every instance name. */
export function registerCapabilities(methods: Methods, parts: ServiceParts): void {
  const answer = capabilities(parts);
  methods.unary<V2<"GetCapabilitiesRequest">, V2<"ServerCapabilities">>(GET_CAPABILITIES, async () => answer);
}

/** Written as if for the newest level: the codec leaves out the fields an older one lacks. */
function capabilities({ level, digests, compressors }: ServiceParts): Answer<V2<"ServerCapabilities">> {
  const functions = digests.offered.map(({ number }) => number);
  const compressions = compressors.map(({ number }) => number);
  return {
    cacheCapabilities: {
      digestFunctions: functions,
      actionCacheUpdateCapabilities: { updateEnabled: true },
      maxBatchTotalSizeBytes: MAX_BATCH_BYTES,
      symlinkAbsolutePathStrategy: enums.SymlinkAbsolutePathStrategy.ALLOWED,
      supportedCompressors: compressions,
      supportedBatchUpdateCompressors: compressions,
      splitBlobSupport: true,
      spliceBlobSupport: true,
      fastCdc2020Params: { avgChunkSizeBytes: AVERAGE_CHUNK_BYTES },
    },
    executionCapabilities: {
      digestFunction: enums.DigestFunction.SHA256,
      digestFunctions: functions,
      execEnabled: true,
      supportedNodeProperties: [...supportedNodeProperties(level)],
    },
    lowApiVersion: { major: 2 },
    highApiVersion: announcedVersion(level),
  };
}
