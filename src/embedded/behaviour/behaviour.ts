/** How one embedded server behaves: everything in which servers differ, as plain data that services and executor ask. Immutable. */
import type { Compressor } from "../../compression/compressors.ts";
import type { Level } from "../../spec/versions.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import type { StatusCode } from "../../wire/status.ts";

/** A question that tells servers apart, as profiles name it. */
export type Ask =
  | "empty-tree"
  | "unknown-instance"
  | "unreadable-resource-name"
  | "empty-batch-read"
  | "empty-batch-update"
  | "fetch-without-uris"
  | "reflection"
  | "health";

/** The answer to such a question; the text is null where the server's own does not matter. */
export interface Sign {
  readonly code: StatusCode;
  readonly text: string | null;
}

/** An API version of ServerCapabilities. */
export interface AnnouncedVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch?: number;
}

/** What ServerCapabilities say; what is empty, 0 or null is not said. */
export interface Announcement {
  readonly deprecated: AnnouncedVersion | null;
  readonly low: AnnouncedVersion | null;
  readonly high: AnnouncedVersion | null;
  readonly updateEnabled: boolean;
  readonly execEnabled: boolean;
  readonly maxBatchBytes: number;
  readonly maxBlobBytes: number;
  readonly absoluteSymlinks: boolean;
  /** Numbers of compressors, IDENTITY included where it is listed. */
  readonly compressors: readonly number[];
  readonly batchCompressors: readonly number[];
  /** Whether ExecutionCapabilities have the list of digest functions, not just the one. */
  readonly executionFunctions: boolean;
  readonly nodeProperties: readonly string[];
  /** The least and the largest priority. */
  readonly priorities: readonly [least: number, largest: number] | null;
  readonly split: boolean;
  readonly splice: boolean;
}

/** Which instance names there are. */
export interface InstanceRules {
  readonly are: "any" | "configured" | "prefix";
  /** The configured names, or prefixes of names; a pattern stands for all that it matches. */
  readonly configured: readonly string[];
  readonly pattern: RegExp | null;
  /** What other names end in. */
  readonly otherwise: StatusCode;
  /** Whether reserved words and empty segments are refused in every request, not only in resource names. */
  readonly strict: boolean;
  /** WaitExecution does not find operations of instances whose names have slashes. */
  readonly slashesBreakWaiting: boolean;
}

/** Which resource names it takes. */
interface ResourceNameRules {
  readonly compressed: boolean;
  readonly functionSegment: boolean;
  readonly trailing: boolean;
}

/** How blobs travel. */
export interface TransferRules {
  /** For streams, the preferred one first. */
  readonly compressors: readonly Compressor[];
  readonly batchCompressors: readonly Compressor[];
  /** Names of those that it announces and does not keep to: what is read under them is plain. */
  readonly unkeptCompressors: readonly string[];
  /** Bytes of a batch, at most: of its blobs, or of the whole message. */
  readonly batch: { readonly most: number; readonly counts: "blobs" | "message" };
  readonly messageBytes: number;
  /** Bytes of a blob, at most; Infinity for no limit. */
  readonly blobBytes: number;
  /** What the reply to a compressed upload counts, and what it says when the blob was there before. */
  readonly committedSize: {
    readonly counts: "sent" | "blob" | "minus-one";
    readonly early: "sent" | "blob" | "minus-one";
    /** Whether any upload of a blob that is there ends in ALREADY_EXISTS. */
    readonly refusesExisting: boolean;
  };
  readonly readOffset: "honoured" | "ignored-compressed" | "ignored";
  readonly readLimit: "honoured" | "unimplemented" | "out-of-range" | "refused-compressed" | "ignored";
  readonly writeStatus: "offset" | "nothing-or-all";
  readonly treePages: "honoured" | "ignored" | "refused";
  /** Whether GetTree sends Directories as they were stored, or as it understands them: without what it does not know. */
  readonly treeDirectories: "as-stored" | "encoded-again";
  /** Whether nobody may store blobs but the worker. */
  readonly readOnly: boolean;
  /** Statuses of SplitBlob for a blob, and of SpliceBlob for a chunk, that is not stored. */
  readonly unknownManifest: StatusCode;
  readonly missingChunk: StatusCode;
}

/** How a worker is found. */
export interface PlatformRules {
  /** Where the platform is looked for; the first that has one counts. */
  readonly from: readonly ("action" | "command")[];
  /** `lexicon`: properties of the API's lexicon have to be this machine's, others are taken as met. */
  readonly by: "lexicon" | "equal-sets" | "registered-names" | "configuration";
  /** The properties of the worker, for `equal-sets`. */
  readonly worker: Readonly<Record<string, string>>;
  /** The names that may be asked for, for `registered-names`. */
  readonly names: readonly string[];
  readonly otherwise: "text" | "invalid";
}

/** The kinds of blobs an execution needs. */
export type NeededBlob = "action" | "command" | "inputs";

/** What it reads of an action and how it runs it. */
export interface ActionRules {
  readonly platform: PlatformRules;
  readonly readsLists: boolean;
  readonly readsPaths: boolean;
  readonly readsDirectoryFormat: boolean;
  readonly sortedLists: boolean;
  /** Whether each list counts, also where output_paths is set. */
  readonly readsEachList: boolean;
  /** Whether a path may be in both typed lists: then it is whatever is there. */
  readonly takesBothLists: boolean;
  /** Whether Actions, Commands and Directories with fields it does not know are refused. */
  readonly strictFields: boolean;
  /** Which directories are there before the command runs: those that lead to outputs, and those that output_directories declares. */
  readonly makes: { readonly parents: boolean; readonly directories: boolean };
  /** Whether two runs at one time of an action that is not to be cached may be one. */
  readonly mergesUncached: boolean;
  /** Where a program with a relative path starts, and where the paths of outputs do. */
  readonly programBase: "input-root" | "working-directory";
  readonly outputBase: "input-root" | "working-directory";
  readonly cacheLookup: boolean;
  readonly stream: "to-the-end" | "first-operation";
  readonly missing: {
    readonly as: "missing" | "text" | "not-found";
    readonly of: readonly NeededBlob[];
    /** Whether the response of the operation tells, or the call itself ends so. */
    readonly inResponse: boolean;
  };
  readonly symlinks: boolean;
  readonly absoluteSymlinks: boolean;
  /** Whether targets with `/./` or `//` are refused in inputs. */
  readonly strictTargets: boolean;
  /** Attributes of files that are set on inputs. */
  readonly applied: readonly NodeAttribute[];
}

/** An attribute of a file that this server can set and read. */
export type NodeAttribute = "mtime" | "unix_mode";

/** How results are told. */
export interface OutputRules {
  /** The level whose ActionResult and ExecuteOperationMetadata it writes: its own, or that of a newer field it has nevertheless. */
  readonly resultLevel: Level;
  readonly metadataLevel: Level;
  readonly namesFunction: boolean;
  /** Which lists name links: the one that the declaration asks for, or the same for all. */
  readonly symlinkLists: "as-declared" | "typed" | "unified" | "both";
  readonly links: "reported" | "followed";
  readonly dangling: "reported" | "dropped" | "failed";
  /** Whether an output within an output directory of the older lists is refused. */
  readonly refusesNesting: boolean;
  /** What becomes of an output of another type than the older lists declare: left out, an error with this status, or listed as what it is. */
  readonly wrongType: "omitted" | "accepted" | StatusCode;
  /** The forms of output directories: as asked for, a Tree alone, a Tree and what is asked for, or root directories alone. */
  readonly directories: "as-asked" | "tree" | "tree-and-asked" | "directory";
  readonly returned: readonly NodeAttribute[];
  /** Whether a request for a property it does not return is refused. */
  readonly refusesUnknownProperties: boolean;
  /** Bytes put into one result on request, at most; 0 for none. */
  readonly inlineBytes: number;
  /** Whether short streams come in the result unasked, as before 2.0. */
  readonly inlinesStreams: boolean;
}

/** How Fetch and Push answer, where they are. */
export interface AssetRules {
  readonly refusesQualifiers: boolean;
  readonly withoutUris: StatusCode;
  readonly pushes: boolean;
}

/** All of it. */
export interface Behaviour {
  /** The level it follows in all that is not said here. */
  readonly level: Level;
  /** Paths of the methods it has. */
  readonly methods: ReadonlySet<string>;
  readonly signs: ReadonlyMap<Ask, Sign>;
  /** Services beyond the API, which reflection lists; their methods are not there. */
  readonly vendorServices: readonly string[];
  /** Digest functions it offers, the preferred one first; never empty. */
  readonly functions: readonly DigestFunction[];
  /** Whether it looks at the field `digest_function` of requests. */
  readonly readsFunctionField: boolean;
  readonly refusesRepeatedMetadata: boolean;
  /** The status of UpdateActionResult where it is not allowed: OK stands for taking the result and dropping it; null allows it. */
  readonly updateRefusal: StatusCode | null;
  /** What UpdateActionResult does with an empty result: keeps it, puts the name of its worker in, or refuses it as broken. */
  readonly emptyResults: "kept" | "named" | "refused";
  /** Whether a hit in the action cache is one only if all blobs of the result are there (D23). */
  readonly checksHits: boolean;
  /** In what a call ends that speaks of an operation nobody knows. */
  readonly unknownOperation: StatusCode;
  readonly announced: Announcement;
  readonly instances: InstanceRules;
  readonly names: ResourceNameRules;
  readonly transfer: TransferRules;
  readonly actions: ActionRules;
  readonly outputs: OutputRules;
  readonly assets: AssetRules;
}
