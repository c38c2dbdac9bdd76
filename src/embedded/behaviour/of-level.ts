/** What a server of a level of the API does. */
import { knows } from "../../spec/ledger.ts";
import { allMethods } from "../../spec/methods.ts";
import { announcedVersion, type Level } from "../../spec/versions.ts";
import { Status } from "../../wire/status.ts";
import { offeredCompressors } from "../compressors.ts";
import { offeredFunctions } from "../offered-functions.ts";
import { MAX_WHOLE_BYTES } from "../store/blob-store.ts";
import type { ActionRules, Behaviour, NodeAttribute, OutputRules, TransferRules } from "./behaviour.ts";
import { DEFAULT_WORKER, propertyNames } from "./vocabulary.ts";

/** Bytes of blobs in one batch, at most: with their digests they fit the 4 MiB that gRPC clients take by default. */
const MAX_BATCH_BYTES = 3_932_160;

/** Bytes put into one result, at most: what does not fit stays a digest. */
const INLINE_BYTES = 1 << 20;

/** Services that no level of the embedded server has: a profile brings the first two. */
const NOT_BY_LEVEL = /^\/build\.bazel\.remote\.(asset|logstream)\./;

const ATTRIBUTES: readonly NodeAttribute[] = ["mtime", "unix_mode"];

/** The behaviour of a server that is exactly as the level says. */
export function levelBehaviour(level: Level): Behaviour {
  const functions = offeredFunctions(level);
  const compressors = offeredCompressors(level);
  const chunks = knows(level, "build.bazel.remote.execution.v2.CacheCapabilities.split_blob_support");
  const numbers = compressors.map(({ number }) => number);
  return {
    level,
    methods: new Set(
      [...allMethods()]
        .filter(({ path, element }) => knows(level, element) && !NOT_BY_LEVEL.test(path))
        .map(({ path }) => path),
    ),
    signs: new Map(),
    vendorServices: [],
    functions,
    readsFunctionField: knows(
      level,
      "build.bazel.remote.execution.v2.FindMissingBlobsRequest.digest_function",
    ),
    refusesRepeatedMetadata: false,
    updateRefusal: null,
    emptyResults: "kept",
    checksHits: knows(level, "behaviour:hit-prolongs"),
    unknownOperation: Status.NOT_FOUND,
    announced: {
      deprecated: null,
      low: { major: 2, minor: 0 },
      high: announcedVersion(level),
      updateEnabled: true,
      execEnabled: true,
      maxBatchBytes: MAX_BATCH_BYTES,
      maxBlobBytes: 0,
      absoluteSymlinks: true,
      compressors: numbers,
      batchCompressors: numbers,
      executionFunctions: knows(
        level,
        "build.bazel.remote.execution.v2.ExecutionCapabilities.digest_functions",
      ),
      nodeProperties: propertyNames(level, ATTRIBUTES),
      priorities: null,
      split: chunks,
      splice: chunks,
    },
    instances: {
      are: "any",
      configured: [""],
      pattern: null,
      otherwise: Status.INVALID_ARGUMENT,
      strict: false,
      slashesBreakWaiting: false,
    },
    names: {
      compressed: knows(level, "behaviour:compressed-names"),
      functionSegment: knows(level, "behaviour:function-segment"),
      trailing: true,
    },
    transfer: transferRules(compressors),
    actions: actionRules(level),
    outputs: outputRules(level),
    assets: { refusesQualifiers: false, withoutUris: Status.INVALID_ARGUMENT, pushes: true },
  };
}

function transferRules(compressors: TransferRules["compressors"]): TransferRules {
  return {
    compressors,
    batchCompressors: compressors,
    unkeptCompressors: [],
    batch: { most: MAX_BATCH_BYTES, counts: "blobs" },
    // Larger than any batch: FindMissingBlobs has no limit of its own.
    messageBytes: MAX_WHOLE_BYTES,
    blobBytes: Number.POSITIVE_INFINITY,
    committedSize: { counts: "sent", early: "minus-one", refusesExisting: false },
    readOffset: "honoured",
    readLimit: "refused-compressed",
    writeStatus: "offset",
    treePages: "honoured",
    treeDirectories: "as-stored",
    readOnly: false,
    unknownManifest: Status.NOT_FOUND,
    missingChunk: Status.NOT_FOUND,
  };
}

function actionRules(level: Level): ActionRules {
  const inAction = knows(level, "build.bazel.remote.execution.v2.Action.platform");
  return {
    platform: {
      from: inAction ? ["action", "command"] : ["command"],
      by: "lexicon",
      worker: DEFAULT_WORKER,
      names: [],
      otherwise: "text",
    },
    readsLists: true,
    readsPaths: knows(level, "build.bazel.remote.execution.v2.Command.output_paths"),
    readsDirectoryFormat: knows(level, "build.bazel.remote.execution.v2.Command.output_directory_format"),
    sortedLists: false,
    readsEachList: false,
    takesBothLists: false,
    strictFields: false,
    makes: { parents: knows(level, "behaviour:output-parents"), directories: false },
    mergesUncached: !knows(level, "behaviour:no-merging"),
    programBase: knows(level, "behaviour:argv0") ? "working-directory" : "input-root",
    outputBase: "working-directory",
    cacheLookup: true,
    stream: "to-the-end",
    missing: { as: "missing", of: ["action", "command", "inputs"], inResponse: true },
    symlinks: true,
    absoluteSymlinks: true,
    strictTargets: !knows(level, "behaviour:lenient-symlink-targets"),
    applied: ATTRIBUTES,
  };
}

function outputRules(level: Level): OutputRules {
  return {
    resultLevel: level,
    metadataLevel: level,
    namesFunction: true,
    symlinkLists: "as-declared",
    links: "reported",
    dangling: "reported",
    refusesNesting: !knows(level, "behaviour:nested-outputs"),
    wrongType: knows(level, "behaviour:wrong-type-error") ? Status.FAILED_PRECONDITION : "omitted",
    directories: "as-asked",
    returned: ATTRIBUTES,
    refusesUnknownProperties: knows(level, "build.bazel.remote.execution.v2.NodeProperty.name"),
    inlineBytes: INLINE_BYTES,
    inlinesStreams: !knows(level, "behaviour:inline-on-request"),
  };
}
