/** What a server that has a profile does: as its level, but for what the profile says (`not-played.ts` has the exceptions). */

import type { ResolvedServer } from "../../peers/profile.ts";
import { pathsOf } from "../../peers/profile-methods.ts";
import { allMethods } from "../../spec/methods.ts";
import { NEWEST } from "../../spec/versions.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../wire/digest-function.ts";
import { canHash } from "../../wire/hasher.ts";
import { Status, type StatusCode } from "../../wire/status.ts";
import { compressorsNamed } from "../compressors.ts";
import { MAX_WHOLE_BYTES } from "../store/blob-store.ts";
import type {
  AnnouncedVersion,
  Announcement,
  Ask,
  AssetRules,
  Behaviour,
  InstanceRules,
  Sign,
  TransferRules,
} from "./behaviour.ts";
import { levelBehaviour } from "./of-level.ts";
import { actionRules, outputRules } from "./profile-actions.ts";
import { allowsAbsolute, DEFAULT_SETUP, type ServerSetup } from "./setup.ts";
import { textFitting } from "./sign-text.ts";
import { propertyNames } from "./vocabulary.ts";

type Facts = ResolvedServer["facts"];

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
    level,
    methods,
    signs: signsOf(facts),
    vendorServices: facts.vendorServices?.are ?? [],
    functions: functionsOf(server, base),
    readsFunctionField,
    refusesRepeatedMetadata: facts.requestMetadata?.repeated === "refused",
    updateRefusal: updates.refusal,
    emptyResults: facts.cacheWrites?.empty ?? base.emptyResults,
    checksHits: features.lifetimes?.writes?.every((form) => form !== "unsaid") ?? base.checksHits,
    unknownOperation: Status[facts.unknownOperations?.endIn ?? "NOT_FOUND"],
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
    [...(missingMethods?.are ?? []), ...(optional ? [] : (optionalMethods?.are ?? []))].flatMap(pathsOf),
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
    maxBlobBytes: blobLimit?.announced ? (blobLimit.bytes ?? BLOB_LIMIT) : base.maxBlobBytes,
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
  const messageBytes = facts.messageLimit?.is ?? usualMessage(batchLimit?.announced ?? 0);
  const counts = committedSize?.counts ?? base.committedSize.counts;
  const early = { "minus-one": "minus-one", same: counts } as const;
  return {
    compressors: compressors ? compressorsNamed(listed(compressors, optional)) : base.compressors,
    batchCompressors: batchCompressors
      ? compressorsNamed(listed(batchCompressors, optional))
      : base.batchCompressors,
    unkeptCompressors: compressors?.unkept ?? [],
    batch: batchLimit
      ? {
          most: batchLimit.announced || facts.messageLimit?.is || MAX_WHOLE_BYTES,
          counts: batchLimit.counts ?? "blobs",
        }
      : base.batch,
    messageBytes,
    blobBytes: blobLimit?.bytes ?? (blobLimit?.announced ? BLOB_LIMIT : base.blobBytes),
    // What would have been sent of a blob that is there, nobody counts unless the profile says so.
    committedSize: {
      counts,
      early: committedSize?.early ? early[committedSize.early] : counts === "sent" ? "minus-one" : counts,
      refusesExisting: committedSize?.existing === "refused",
    },
    readOffset: facts.readRange?.offset ?? base.readOffset,
    readLimit: facts.readRange?.limit ?? base.readLimit,
    writeStatus: facts.writeStatus?.tells ?? base.writeStatus,
    treePages: facts.treePages?.are ?? base.treePages,
    treeDirectories: facts.treePages?.directories ?? base.treeDirectories,
    readOnly: base.readOnly,
    unknownManifest: Status[chunking?.unknownManifest ?? "NOT_FOUND"],
    missingChunk: Status[chunking?.missingChunk ?? "NOT_FOUND"],
  };
}

/** What libraries of gRPC take unless told otherwise: servers that announce larger batches have told them. */
function usualMessage(batchBytes: number): number {
  return Math.max(4 << 20, Math.ceil(batchBytes * 1.25));
}

function assetRules({ assets }: Facts, { optional }: ServerSetup, base: AssetRules): AssetRules {
  return {
    refusesQualifiers: assets?.qualifiers === "refused",
    withoutUris: Status[assets?.withoutUris ?? "INVALID_ARGUMENT"],
    pushes: assets?.push === "configured" ? optional : base.pushes,
  };
}
