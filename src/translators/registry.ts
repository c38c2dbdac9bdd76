/** Every translator there is. */
import { actionKeys } from "./action-keys.ts";
import { actionPlatform } from "./action-platform.ts";
import { ancientClients } from "./ancient-clients.ts";
import { apiVersion } from "./api-version.ts";
import { argv0 } from "./argv0.ts";
import { assetChecksums } from "./assets/asset-checksums.ts";
import { assetDigestFunction } from "./assets/asset-digest-function.ts";
import { assetErrors } from "./assets/asset-errors.ts";
import { assetQualifiers } from "./assets/asset-qualifiers.ts";
import { assetService } from "./assets/asset-service.ts";
import { batchCompression } from "./batch-compression.ts";
import { batchLimits } from "./batch-limits.ts";
import { batchMethods } from "./batch-methods.ts";
import { blobSizeLimit } from "./blob-size-limit.ts";
import { cacheWrites } from "./cache-writes/cache-writes.ts";
import { capabilitiesService } from "./capabilities-service.ts";
import { registryProblems } from "./check-registry.ts";
import { chunking } from "./chunking/chunking.ts";
import { committedSize } from "./committed-size/committed-size.ts";
import { compressedBlobs } from "./compressed-blobs/compressed-blobs.ts";
import { digestFunctionField } from "./digest-function-field.ts";
import { digestFunctions } from "./digest-functions.ts";
import { emptyBlob } from "./empty-blob.ts";
import { emptyOutputDirectories } from "./empty-output-directories.ts";
import { executionDigestFunctions } from "./execution-digest-functions.ts";
import { executionMetadata } from "./execution-metadata.ts";
import { executionStages } from "./execution-stages.ts";
import { getTree } from "./get-tree/get-tree.ts";
import { hashText } from "./hash-text.ts";
import { indirectChunks } from "./indirect-chunks.ts";
import { inlineOutputs } from "./inline-outputs.ts";
import { inputSymlinks } from "./input-symlinks.ts";
import { instanceNames } from "./instance-names.ts";
import { lifetimes } from "./lifetimes/lifetimes.ts";
import { logStreams } from "./log-streams.ts";
import { missingBlobs } from "./missing-blobs.ts";
import { nodeProperties } from "./node-properties.ts";
import { operationDigestFunction } from "./operation-digest-function.ts";
import { inOrder } from "./order.ts";
import { outputBase } from "./output-base.ts";
import { outputDirectoryFormat } from "./output-directory-format/output-directory-format.ts";
import { outputNesting } from "./output-nesting.ts";
import { outputParents } from "./output-parents.ts";
import { outputPaths } from "./output-paths/output-paths.ts";
import { outputSymlinks } from "./output-symlinks.ts";
import { outputTypes } from "./output-types.ts";
import { platformLexicon } from "./platform-lexicon.ts";
import { priorities } from "./priorities.ts";
import { readRange } from "./read-range.ts";
import { renames } from "./renames.ts";
import { requestMetadata } from "./request-metadata.ts";
import { resourceNames } from "./resource-names.ts";
import { salt } from "./salt.ts";
import { streamNames } from "./stream-names.ts";
import { streamedChunks } from "./streamed-chunks.ts";
import { strictCanonical } from "./strict-canonical.ts";
import { timeouts } from "./timeouts.ts";
import type { Translator } from "./translator.ts";
import { uncachedActions } from "./uncached-actions.ts";
import { unchanged } from "./unchanged.ts";
import { unknownOperations } from "./unknown-operations.ts";
import { vendorFields } from "./vendor-fields.ts";
import { waitExecution } from "./wait-execution.ts";
import { writeStatus } from "./write-status.ts";

const REGISTERED: readonly Translator[] = [
  actionKeys,
  actionPlatform,
  ancientClients,
  apiVersion,
  argv0,
  assetService,
  assetDigestFunction,
  assetErrors,
  assetQualifiers,
  assetChecksums,
  logStreams,
  batchCompression,
  batchLimits,
  batchMethods,
  blobSizeLimit,
  cacheWrites,
  capabilitiesService,
  committedSize,
  compressedBlobs,
  chunking,
  digestFunctionField,
  digestFunctions,
  emptyBlob,
  emptyOutputDirectories,
  executionDigestFunctions,
  executionMetadata,
  getTree,
  hashText,
  indirectChunks,
  inlineOutputs,
  inputSymlinks,
  instanceNames,
  lifetimes,
  nodeProperties,
  outputBase,
  outputDirectoryFormat,
  outputNesting,
  outputParents,
  outputPaths,
  outputSymlinks,
  outputTypes,
  platformLexicon,
  priorities,
  readRange,
  renames,
  requestMetadata,
  resourceNames,
  salt,
  streamNames,
  streamedChunks,
  strictCanonical,
  timeouts,
  uncachedActions,
  unchanged,
  waitExecution,
  writeStatus,
  unknownOperations,
  operationDigestFunction,
  missingBlobs,
  executionStages,
  vendorFields,
];

/**
 * The translators in the order of running.
 * @throws Error that lists all that is wrong with `registered`: a mistake of the program, found when it starts.
 */
export function checked(registered: readonly Translator[]): readonly Translator[] {
  const problems = registryProblems(registered);
  if (problems.length > 0) throw new Error(`the translators do not fit together:\n${problems.join("\n")}`);
  return Object.freeze(inOrder(registered));
}

/** All translators, checked, in the order of running. */
export const TRANSLATORS: readonly Translator[] = checked(REGISTERED);
