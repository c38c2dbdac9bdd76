/** The service Capabilities: what the server announces (D01, D02, D10, D15, D18, D33). */
import { codec } from "../../spec/codec.ts";
import { enums } from "../../spec/generated/enums.ts";
import type { Methods, V2 } from "../rpc/methods.ts";
import type { ServiceParts } from "./service-parts.ts";
import { AVERAGE_CHUNK_BYTES } from "./split-blob.ts";

const GET_CAPABILITIES = "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities";

/** Registers the service. The answer is the same for every instance name. */
export function registerCapabilities(methods: Methods, parts: ServiceParts): void {
  const answer = capabilities(parts);
  methods.unary<V2<"GetCapabilitiesRequest">, V2<"ServerCapabilities">>(GET_CAPABILITIES, async () => answer);
}

/** Written with the newest schema: a server may announce what is newer than its level. */
function capabilities({ behaviour: { functions, announced } }: ServiceParts): Buffer {
  const numbers = functions.map(({ number }) => number);
  const { ALLOWED, DISALLOWED } = enums.SymlinkAbsolutePathStrategy;
  const { priorities } = announced;
  const chunks = announced.split || announced.splice;
  return codec().encode("build.bazel.remote.execution.v2.ServerCapabilities", {
    cacheCapabilities: {
      digestFunctions: numbers,
      actionCacheUpdateCapabilities: { updateEnabled: announced.updateEnabled },
      maxBatchTotalSizeBytes: announced.maxBatchBytes,
      symlinkAbsolutePathStrategy: announced.absoluteSymlinks ? ALLOWED : DISALLOWED,
      supportedCompressors: announced.compressors,
      supportedBatchUpdateCompressors: announced.batchCompressors,
      maxCasBlobSizeBytes: announced.maxBlobBytes,
      splitBlobSupport: announced.split,
      spliceBlobSupport: announced.splice,
      fastCdc2020Params: chunks ? { avgChunkSizeBytes: AVERAGE_CHUNK_BYTES } : null,
    },
    executionCapabilities: {
      digestFunction: numbers.find((number) => number === enums.DigestFunction.SHA256) ?? numbers[0]!,
      digestFunctions: announced.executionFunctions ? numbers : [],
      execEnabled: announced.execEnabled,
      supportedNodeProperties: announced.nodeProperties,
      executionPriorityCapabilities:
        priorities === null
          ? null
          : { priorities: [{ minPriority: priorities[0], maxPriority: priorities[1] }] },
    },
    deprecatedApiVersion: announced.deprecated,
    lowApiVersion: announced.low,
    highApiVersion: announced.high,
  });
}
