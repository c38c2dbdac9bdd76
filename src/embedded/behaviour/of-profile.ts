/** What a server that has a profile does: as its level, but for what the profile says (`not-played.ts` has the exceptions). */

import type { ResolvedServer } from "../../peers/profile.ts";
import { methodPaths } from "../../peers/profile-facts.ts";
import { knows, since } from "../../spec/ledger.ts";
import { allMethods } from "../../spec/methods.ts";
import { compareLevels, type Level, NEWEST } from "../../spec/versions.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../wire/digest-function.ts";
import { canHash } from "../../wire/hasher.ts";
import { Status, type StatusCode } from "../../wire/status.ts";
import { compressorsNamed } from "../compressors.ts";
import { MAX_WHOLE_BYTES } from "../store/blob-store.ts";
import type {
  ActionRules,
  AnnouncedVersion,
  Announcement,
  Ask,
  AssetRules,
  Behaviour,
  InstanceRules,
  NodeAttribute,
  OutputRules,
  Sign,
  TransferRules,
} from "./behaviour.ts";
import { levelBehaviour } from "./of-level.ts";
import { textFitting } from "./sign-text.ts";
import { DEFAULT_WORKER, propertyNames } from "./vocabulary.ts";

type Facts = ResolvedServer["facts"];
type Features = ResolvedServer["features"];

/** What the operator of a real server would have configured. */
export interface ServerSetup {
  /** Whether what only configuration brings is there: optional methods and compressors, writes to the cache, chunking. */
  readonly optional: boolean;
  /** Names of instances, or prefixes of them, where the server knows none by itself. */
  readonly instances: readonly string[];
  /** Properties of the platform of the one worker. */
  readonly worker: Readonly<Record<string, string>>;
}

/** A server as it comes: nothing optional, one instance without a name, a worker of which the operating system is known. */
export const DEFAULT_SETUP: ServerSetup = { optional: false, instances: [""], worker: DEFAULT_WORKER };

/** Bytes of the largest blob where a limit is announced: the profile does not say which. */
const BLOB_LIMIT = 2 ** 30;

const INT32_MAX = 2 ** 31 - 1;

const STORAGE = "/build.bazel.remote.execution.v2.ContentAddressableStorage";

/**
 * The behaviour of the server.
 * @throws RangeError if it offers no digest function that can be computed here.
 */
export function profileBehaviour(server: ResolvedServer, setup: ServerSetup = DEFAULT_SETUP): Behaviour {
  const { facts, features } = server;
  const level = facts.level?.is ?? NEWEST;
  const base = levelBehaviour(level);
  const methods = methodsOf(server, setup, base);
  const transfer = transferRules(facts, setup, base.transfer);
  const outputs = outputRules(server, level, base.outputs);
  const { functionSegment = base.names.functionSegment, trailing = base.names.trailing } =
    facts.resourceNames ?? {};
  const reads = features["digest-function-field"]?.reads;
  const readsFunctionField = reads?.includes("set") ?? base.readsFunctionField;
  const updates = updateRules(facts, setup);
  return {
    profile: server.name,
    level,
    methods,
    signs: signsOf(facts),
    functions: functionsOf(server, base),
    readsFunctionField,
    refusesRepeatedMetadata: facts.requestMetadata?.repeated === "refused",
    updateRefusal: updates.refusal,
    announced: announcement(facts, setup, methods, {
      ...base.announced,
      updateEnabled: updates.enabled,
      execEnabled:
        facts.execution?.offered !== "no" && [...methods].some((path) => path.endsWith("/Execute")),
      executionFunctions: base.announced.executionFunctions || (reads?.includes("set") ?? false),
      nodeProperties: facts.nodePropertyNames?.are ?? propertyNames(level, outputs.returned),
    }),
    instances: instanceRules(facts, setup),
    names: {
      compressed: facts.compressors === undefined ? base.names.compressed : transfer.compressors.length > 0,
      functionSegment,
      trailing,
    },
    transfer,
    actions: actionRules(server, setup, level, base.actions),
    outputs,
    assets: assetRules(facts, setup, base.assets),
  };
}

/** What the profile does not call missing is there, also before its level: nobody lists what a server has beyond it. */
function methodsOf({ facts }: ResolvedServer, { optional }: ServerSetup, base: Behaviour): Set<string> {
  const { missingMethods, optionalMethods } = facts;
  const all = [...allMethods()].map(({ path }) => path);
  const absent = new Set(
    [...(missingMethods?.are ?? []), ...(optional ? [] : (optionalMethods?.are ?? []))].flatMap(methodPaths),
  );
  return new Set(
    (missingMethods === undefined ? [...base.methods] : all).filter((path) => !absent.has(path)),
  );
}

function signsOf({ recognition }: Facts): ReadonlyMap<Ask, Sign> {
  return new Map(
    (recognition?.signs ?? []).map(({ ask, status, text }) => [
      ask,
      { code: Status[status], text: text === undefined ? null : textFitting(text) },
    ]),
  );
}

/** One deployment of a server that offers one of several offers the first that can be computed. */
function functionsOf({ name, facts }: ResolvedServer, base: Behaviour): readonly DigestFunction[] {
  if (facts.digestFunctions === undefined) return base.functions;
  const { are, several } = facts.digestFunctions;
  const able = are
    .map((each) => DIGEST_FUNCTIONS.find((known) => known.name === each)!)
    .filter((digestFunction) => canHash(digestFunction));
  if (able.length === 0) {
    throw new RangeError(`${name} offers ${are.join(", ")}, none of which the embedded server can compute`);
  }
  return several ? able : able.slice(0, 1);
}

/** Where writes are for those who are allowed to, the embedded server's caller is one only if it was set up so. */
function updateRules({ cacheWrites }: Facts, { optional }: ServerSetup) {
  if (cacheWrites === undefined) return { enabled: true, refusal: null };
  const { announced, refused } = cacheWrites;
  const configured = optional || refused === undefined;
  const enabled =
    announced === "yes" || announced === "by-client" || (announced === "configured" && configured);
  return { enabled, refusal: enabled || refused === undefined ? null : statusOf(refused) };
}

function statusOf(refused: "dropped" | Exclude<keyof typeof Status, "OK">): StatusCode {
  return refused === "dropped" ? Status.OK : Status[refused];
}

function announcement(
  facts: Facts,
  setup: ServerSetup,
  methods: ReadonlySet<string>,
  base: Announcement,
): Announcement {
  const { window, batchLimit, blobLimit, compressors, batchCompressors, priorities, chunking } = facts;
  const { optional } = setup;
  const chunks =
    chunking === undefined
      ? null
      : chunking.announced === "yes" || (chunking.announced === "configured" && optional);
  return {
    ...base,
    ...(window && {
      deprecated: versionOf(window.deprecated),
      low: versionOf(window.low),
      high: versionOf(window.high),
    }),
    ...(batchLimit && { maxBatchBytes: batchLimit.announced }),
    maxBlobBytes: blobLimit?.announced ? BLOB_LIMIT : base.maxBlobBytes,
    absoluteSymlinks: allowsAbsolute(facts, setup),
    ...(compressors && { compressors: compressorNumbers(listed(compressors, optional)) }),
    ...(batchCompressors && { batchCompressors: compressorNumbers(listed(batchCompressors, optional)) }),
    ...(priorities && {
      priorities: priorities.are === "any" ? [-INT32_MAX - 1, INT32_MAX] : [0, INT32_MAX],
    }),
    split: (chunks ?? base.split) && methods.has(`${STORAGE}/SplitBlob`),
    splice: (chunks ?? base.splice) && methods.has(`${STORAGE}/SpliceBlob`),
  };
}

/** Absent or malformed parts count as 0; the schema of profiles has checked the form. */
function versionOf(text: string | undefined): AnnouncedVersion | null {
  if (text === undefined) return null;
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return { major, minor, patch };
}

function listed(
  { are, optional = [] }: { readonly are: readonly string[]; readonly optional?: readonly string[] },
  withOptional: boolean,
): readonly string[] {
  return withOptional ? [...are, ...optional] : are;
}

function compressorNumbers(names: readonly string[]): readonly number[] {
  const known = compressorsNamed(names);
  return names.map((name) => known.find((each) => each.name === name)?.number ?? 0);
}

/** Where configuration may say the other, a server with all that is optional does. */
function allowsAbsolute({ absoluteSymlinks }: Facts, { optional }: ServerSetup): boolean {
  const { are = "ALLOWED", optional: either = false } = absoluteSymlinks ?? {};
  return (are === "ALLOWED") !== (either && optional);
}

function instanceRules({ instanceNames }: Facts, { instances }: ServerSetup): InstanceRules {
  const {
    are = "any",
    otherwise = "INVALID_ARGUMENT",
    pattern,
    reservedWords,
    slashes,
  } = instanceNames ?? {};
  return {
    are,
    configured: instances,
    pattern: pattern === undefined ? null : new RegExp(pattern),
    otherwise: Status[otherwise],
    strict: reservedWords === "refused",
    slashesBreakWaiting: slashes === "break-wait-execution",
  };
}

function transferRules(facts: Facts, { optional }: ServerSetup, base: TransferRules): TransferRules {
  const { compressors, batchCompressors, batchLimit, blobLimit, committedSize, chunking } = facts;
  const messageBytes = facts.messageLimit?.is ?? base.messageBytes;
  const counts = committedSize?.counts ?? base.committedSize.counts;
  const early = { "minus-one": "minus-one", same: counts } as const;
  return {
    compressors: compressors ? compressorsNamed(listed(compressors, optional)) : base.compressors,
    batchCompressors: batchCompressors
      ? compressorsNamed(listed(batchCompressors, optional))
      : base.batchCompressors,
    batch: batchLimit
      ? {
          most: batchLimit.announced || facts.messageLimit?.is || MAX_WHOLE_BYTES,
          counts: batchLimit.counts ?? "blobs",
        }
      : base.batch,
    messageBytes,
    blobBytes: blobLimit?.announced ? BLOB_LIMIT : base.blobBytes,
    // What would have been sent of a blob that is there, nobody counts unless the profile says so.
    committedSize: {
      counts,
      early: committedSize?.early ? early[committedSize.early] : counts === "sent" ? "minus-one" : counts,
    },
    readOffset: facts.readRange?.offset ?? base.readOffset,
    readLimit: facts.readRange?.limit ?? base.readLimit,
    writeStatus: facts.writeStatus?.tells ?? base.writeStatus,
    treePages: facts.treePages?.are ?? base.treePages,
    unknownManifest: Status[chunking?.unknownManifest ?? "NOT_FOUND"],
    missingChunk: Status[chunking?.missingChunk ?? "NOT_FOUND"],
  };
}

function actionRules(
  { facts, features }: ResolvedServer,
  setup: ServerSetup,
  level: Level,
  base: ActionRules,
): ActionRules {
  const { platformMatch, platformProperties, missingInputs, execution } = facts;
  const from = features["action-platform"]?.reads;
  const outputs = features["output-paths"]?.reads;
  return {
    platform: {
      from:
        from === undefined
          ? base.platform.from
          : (["action", "command"] as const).filter((at) => from.includes(at)),
      by: platformMatch?.by ?? base.platform.by,
      worker: setup.worker,
      names: platformProperties?.are ?? [],
      otherwise: platformMatch?.otherwise === "precondition-invalid" ? "invalid" : "text",
    },
    readsLists: outputs?.includes("lists") ?? base.readsLists,
    readsPaths: outputs?.includes("paths") ?? base.readsPaths,
    readsDirectoryFormat:
      features["output-directory-format"]?.writes?.includes("directory") ?? base.readsDirectoryFormat,
    sortedLists: facts.sortedLists?.required ?? base.sortedLists,
    programBase: baseOf(features, "argv0") ?? base.programBase,
    outputBase: baseOf(features, "output-base") ?? base.outputBase,
    cacheLookup: execution?.cacheLookup ?? base.cacheLookup,
    stream: execution?.stream ?? base.stream,
    missing: {
      as: missingInputs?.as ?? base.missing.as,
      of: missingInputs?.of ?? base.missing.of,
      inResponse: missingInputs?.inResponse ?? base.missing.inResponse,
    },
    symlinks: facts.inputSymlinks?.made ?? base.symlinks,
    absoluteSymlinks: allowsAbsolute(facts, setup),
    applied: readsForm(features["node-properties"]?.reads, level)
      ? attributes(facts.nodeAttributes?.applied, base.applied)
      : [],
  };
}

/** Of a server that reads both, a client cannot rely on the older one. */
function baseOf(features: Features, feature: "argv0" | "output-base") {
  const reads = features[feature]?.reads;
  if (reads === undefined) return undefined;
  return reads.includes("working-directory") ? "working-directory" : "input-root";
}

/** Whether the forms of node properties have the one that the level has. */
function readsForm(forms: readonly string[] | undefined, level: Level): boolean {
  const form = knows(level, "build.bazel.remote.execution.v2.FileNode.node_properties") ? "message" : "list";
  return forms?.includes(form) ?? true;
}

function attributes(stated: readonly string[] | undefined, base: readonly NodeAttribute[]) {
  return stated === undefined ? base : base.filter((attribute) => stated.includes(attribute));
}

function outputRules({ facts, features }: ResolvedServer, level: Level, base: OutputRules): OutputRules {
  const { outputLinks, nodeAttributes, inlineOutputs } = facts;
  const symlinkLists = symlinkListsOf(features["output-symlinks"]?.writes) ?? base.symlinkLists;
  const directories = directoriesOf(features["output-directory-format"]?.writes) ?? base.directories;
  const names = features["digest-function-field"]?.writes?.includes("set");
  return {
    resultLevel: newest(
      level,
      ...(features["output-symlinks"]?.writes?.some((form) => form !== "typed")
        ? [since("build.bazel.remote.execution.v2.ActionResult.output_symlinks")]
        : []),
      ...(directories === "tree-and-asked" || directories === "directory"
        ? [since("build.bazel.remote.execution.v2.OutputDirectory.root_directory_digest")]
        : []),
    ),
    metadataLevel: names
      ? newest(level, since("build.bazel.remote.execution.v2.ExecuteOperationMetadata.digest_function"))
      : level,
    namesFunction: names ?? base.namesFunction,
    symlinkLists,
    links: outputLinks?.are ?? base.links,
    dangling: outputLinks?.dangling ?? (outputLinks?.are === "followed" ? "dropped" : base.dangling),
    directories,
    returned: readsForm(features["node-properties"]?.writes, level)
      ? attributes(nodeAttributes?.returned, base.returned)
      : [],
    refusesUnknownProperties: false,
    inlineBytes: inlineOutputs?.are === "never" ? 0 : (inlineOutputs?.mostBytes ?? base.inlineBytes),
    inlinesStreams: inlineOutputs === undefined && base.inlinesStreams,
  };
}

function symlinkListsOf(writes: readonly string[] | undefined): OutputRules["symlinkLists"] | undefined {
  if (writes?.includes("both")) return "both";
  const unified = writes?.includes("unified");
  if (writes?.includes("typed")) return unified ? "as-declared" : "typed";
  return unified ? "unified" : undefined;
}

function directoriesOf(writes: readonly string[] | undefined): OutputRules["directories"] | undefined {
  const directory = writes?.includes("directory");
  if (writes?.includes("tree")) return directory ? "tree-and-asked" : "tree";
  return directory ? "directory" : undefined;
}

function newest(...levels: readonly [Level, ...Level[]]): Level {
  return levels.toSorted(compareLevels).at(-1)!;
}

function assetRules({ assets }: Facts, { optional }: ServerSetup, base: AssetRules): AssetRules {
  return {
    refusesQualifiers: assets?.qualifiers === "refused",
    withoutUris: Status[assets?.withoutUris ?? "INVALID_ARGUMENT"],
    pushes: assets?.push === "configured" ? optional : base.pushes,
  };
}
