/** The manner of a client: in which forms it writes, what it reads, how it moves blobs. Plain data. */
import { knows } from "../spec/ledger.ts";
import type { Level } from "../spec/versions.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import type { PropertyForm } from "./attributes.ts";
import { SHA256 } from "./blob.ts";

/** A compressor of blobs that travel as streams. */
export type Compressor = "ZSTD" | "DEFLATE" | "BROTLI";

/** What a count of bytes in the reply to a compressed upload may be: those sent, those of the blob, or -1 (D16). */
type Count = "sent" | "blob" | "minus-one";

/** How a client works. What its level does not have, it neither writes nor reads, whatever stands here. */
export interface Manner {
  readonly level: Level;
  readonly digestFunction: DigestFunction;
  /** Whether requests name the digest function where there is a field for it (D08). */
  readonly namesFunction: boolean;
  /** Whether names of blobs have a segment for the digest function (D14). */
  readonly functionSegment: boolean;
  /** Whether the empty blob is uploaded and read like any other; since 2.2 it is always there (D13). */
  readonly emptyBlob: boolean;
  readonly batches: {
    readonly update: boolean;
    readonly read: boolean;
    /** Bytes of the largest batch; 0 sends everything as streams. */
    readonly maxBytes: number;
    /** Bytes that a blob counts besides its own: 0 for a client that forgets the message around it. */
    readonly overheadBytes: number;
  };
  /** Digests in one FindMissingBlobs. */
  readonly mostDigests: number;
  readonly compressor: Compressor | null;
  readonly committedSize: readonly Count[];
  /** Which lists declare outputs (D24); `all` fills every one. */
  readonly outputs: "lists" | "paths" | "all";
  /** What output_directory_format asks for (D40); null leaves it out. */
  readonly directoryFormat: "tree" | "directory" | "both" | null;
  /** Where the platform stands (D36). */
  readonly platform: "command" | "action" | "both";
  /** Where a path to a program that is an input starts (D39). */
  readonly programsFrom: "input-root" | "working-directory";
  /** Where paths of outputs start (D27). */
  readonly outputsFrom: "input-root" | "working-directory";
  /**
   * How it writes node properties (D30, D31), and where it requests them. `names` are those it always asks for, as they are called today.
   */
  readonly nodeProperties: { readonly form: PropertyForm; readonly names: readonly string[] };
  readonly reads: {
    /** The lists of symlinks (D25); the empty list reads none. */
    readonly symlinks: readonly ("typed" | "unified")[];
    /** The forms of output directories (D40), the best first. */
    readonly directories: readonly ("tree" | "directory")[];
  };
  /** Whether it asks the action cache before it runs anything. */
  readonly looksUp: boolean;
  /** Whether an answer of the action cache other than a result or NOT_FOUND is the end of it. */
  readonly cacheErrorsFatal: boolean;
  /** Whether a broken stream of Execute leads to WaitExecution; else to a new Execute. */
  readonly waits: boolean;
  /** What makes it upload blobs again after an execution (D07). */
  readonly missing: {
    readonly uploadsAgain: boolean;
    /** Whether only subjects of three parts, `blobs/HASH/SIZE`, are understood. */
    readonly shortSubjects: boolean;
    /** Whether violations of any other type than MISSING are the end of it. */
    readonly otherTypesFatal: boolean;
  };
}

/** The most a client puts into a batch if nobody says more: half of what gRPC peers take without being told. */
export const MAX_BATCH_BYTES = 2 * 1024 * 1024;

/** Room in a batch for the digest and the framing of one blob. */
export const OVERHEAD_BYTES = 256;

const TYPED = ["typed"] as const;
const UNIFIED = ["unified"] as const;

/** A well-behaved client of a level that uses the newest of what its level has. */
export function mannerOf(level: Level): Manner {
  const paths = knows(level, "build.bazel.remote.execution.v2.Command.output_paths");
  const actionPlatform = knows(level, "build.bazel.remote.execution.v2.Action.platform");
  const directories = knows(level, "build.bazel.remote.execution.v2.Command.output_directory_format");
  return {
    level,
    digestFunction: SHA256,
    namesFunction: true,
    functionSegment: false,
    emptyBlob: !knows(level, "behaviour:empty-blob"),
    batches: { update: true, read: true, maxBytes: MAX_BATCH_BYTES, overheadBytes: OVERHEAD_BYTES },
    mostDigests: 4000,
    compressor: null,
    committedSize: ["sent", "blob", "minus-one"],
    outputs: paths ? "paths" : "lists",
    directoryFormat: null,
    platform: actionPlatform ? "both" : "command",
    programsFrom: knows(level, "behaviour:argv0") ? "working-directory" : "input-root",
    outputsFrom: "working-directory",
    nodeProperties: { form: propertyFormOf(level), names: [] },
    reads: {
      symlinks: paths ? UNIFIED : TYPED,
      directories: directories ? ["directory", "tree"] : ["tree"],
    },
    looksUp: true,
    cacheErrorsFatal: false,
    waits: true,
    missing: { uploadsAgain: true, shortSubjects: false, otherTypesFatal: false },
  };
}

/** The form in which a level has node properties. */
export function propertyFormOf(level: Level): PropertyForm {
  if (knows(level, "build.bazel.remote.execution.v2.FileNode.node_properties")) return "message";
  return knows(level, "build.bazel.remote.execution.v2.FileNode.node_properties@5") ? "list" : "none";
}
