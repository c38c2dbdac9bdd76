/** The facts a profile may state of a server besides the forms of features: each is used by a translator, a refusal, a lens or the embedded server. */
import { LEVELS } from "../spec/versions.ts";
import { ASKS } from "../upstream/asks.ts";
import { functionName, methodName, STATUS_NAMES, semVer } from "./common-kinds.ts";
import { choice, count, expression, flag, list, maybe, record, text } from "./profile-kinds.ts";

const compressor = choice("IDENTITY", "ZSTD", "DEFLATE", "BROTLI");

/** What an entry for platform properties is for: a name, and perhaps one value of it, in the case that is given or in any. */
const property = { name: text(), value: maybe(text()), anyCase: maybe(flag) };

/** Every fact of a server: what it says, which features (or parts of this project) go by it, and its members. `evidence` comes on top of each. */
export const SERVER_FACTS = {
  level: {
    says: "The level of the API that it follows in all that nothing else is said about",
    usedBy: ["every feature"],
    members: { is: choice(...LEVELS) },
  },
  window: {
    says: "The API versions that GetCapabilities states; a bound that is left out is not stated (D02)",
    usedBy: ["api-version", "capabilities-service"],
    members: { deprecated: maybe(semVer), low: maybe(semVer), high: maybe(semVer) },
  },
  missingMethods: {
    says: "Methods that end in UNIMPLEMENTED; `*` stands for all of a service",
    usedBy: [
      "get-tree",
      "chunking",
      "wait-execution",
      "batch-methods",
      "capabilities-service",
      "asset-service",
      "write-status",
    ],
    members: { are: list(methodName) },
  },
  optionalMethods: {
    says: "Methods that only configuration brings: calls of them go through, and the server tells whether it has them",
    usedBy: ["chunking", "asset-service"],
    members: { are: list(methodName) },
  },
  digestFunctions: {
    says: "Digest functions it offers, the preferred first (D09); `several` is false if one deployment offers one of them",
    usedBy: [
      "digest-functions",
      "execution-digest-functions",
      "digest-function-field",
      "capabilities-service",
    ],
    members: { are: list(functionName), several: flag },
  },
  gitHashes: {
    says: "What it calls SHA1 are names of git objects, which no other client can make (P08)",
    usedBy: ["digest-functions"],
    members: { is: flag },
  },
  compressors: {
    says: "Compressors it announces for streams, in its order; `optional` if only configuration brings them; `unkept` are announced, but what is read under such names is plain (D15)",
    usedBy: ["compressed-blobs", "capabilities-service"],
    members: {
      are: list(compressor),
      optional: maybe(list(compressor)),
      unkept: maybe(list(compressor)),
    },
  },
  batchCompressors: {
    says: "Compressors it announces for batches, in its order (D17)",
    usedBy: ["batch-compression", "capabilities-service"],
    members: { are: list(compressor), optional: maybe(list(compressor)) },
  },
  committedSize: {
    says: "What the reply to a compressed upload counts (D16); `early` is its form when the blob was there before, and `existing` says that any upload of such a blob ends in ALREADY_EXISTS",
    usedBy: ["committed-size"],
    members: {
      counts: choice("sent", "blob", "minus-one"),
      early: maybe(choice("minus-one", "same")),
      existing: maybe(choice("reported", "refused")),
    },
  },
  batchLimit: {
    says: "max_batch_total_size_bytes as announced, 0 for none, and whether it counts blobs or the message (D18, P03)",
    usedBy: ["batch-limits", "upstream port", "capabilities-service"],
    members: { announced: count, counts: maybe(choice("blobs", "message")) },
  },
  messageLimit: {
    says: "Bytes of the largest message it takes",
    usedBy: ["batch-limits", "upstream port"],
    members: { is: count },
  },
  blobLimit: {
    says: "max_cas_blob_size_bytes: whether it is announced, and the largest blob it takes, where that is known (D19)",
    usedBy: ["blob-size-limit", "embedded server"],
    members: { announced: flag, bytes: maybe(count) },
  },
  treePages: {
    says: "What GetTree does with page_size and page_token (D21); `encoded-again` if its Directories lose the fields that the server does not know (D03)",
    usedBy: ["get-tree", "embedded server"],
    members: {
      are: choice("honoured", "ignored", "refused"),
      directories: maybe(choice("as-stored", "encoded-again")),
    },
  },
  readRange: {
    says: "What ByteStream.Read does with an offset and a limit",
    usedBy: ["read-range"],
    members: {
      offset: choice("honoured", "ignored-compressed", "ignored"),
      limit: choice("honoured", "unimplemented", "out-of-range", "refused-compressed", "ignored"),
    },
  },
  writeStatus: {
    says: "What QueryWriteStatus tells of an upload under way (D14)",
    usedBy: ["embedded server"],
    members: { tells: choice("offset", "nothing-or-all") },
  },
  resourceNames: {
    says: "Which names of blobs it takes (D14): with a segment for any digest function, and with text after the size",
    usedBy: ["resource-names", "upstream port"],
    members: { functionSegment: flag, trailing: maybe(flag) },
  },
  instanceNames: {
    says: "Which instance names it takes: any, those it is configured for, or those with a configured prefix; and what the others end in",
    usedBy: ["instance-names", "embedded server"],
    members: {
      are: choice("any", "configured", "prefix"),
      otherwise: maybe(choice(...STATUS_NAMES)),
      pattern: maybe(expression),
      reservedWords: maybe(choice("refused", "end-the-name")),
      slashes: maybe(choice("fine", "break-wait-execution")),
    },
  },
  absoluteSymlinks: {
    says: "symlink_absolute_path_strategy as announced; `optional` if configuration may say the other (D34)",
    usedBy: ["input-symlinks", "capabilities-service"],
    members: { are: choice("ALLOWED", "DISALLOWED"), optional: maybe(flag) },
  },
  inputSymlinks: {
    says: "Whether symlinks of the input tree are made",
    usedBy: ["input-symlinks"],
    members: { made: flag },
  },
  outputLinks: {
    says: "What becomes of symlinks among outputs: reported as such, or followed and reported as what they lead to (D25)",
    usedBy: ["output-symlinks"],
    members: {
      are: choice("reported", "followed"),
      dangling: maybe(choice("reported", "dropped", "failed")),
    },
  },
  outputDirectories: {
    says: "Whether directories that output_directories declares are made before the command runs, and not only what leads to them (D24, D28)",
    usedBy: ["output-paths", "embedded server"],
    members: { made: flag },
  },
  outputTypes: {
    says: "What becomes of outputs of another type than the older lists declare: left out, refused with a status, or reported as what they are (D26)",
    usedBy: ["output-types", "embedded server"],
    members: {
      otherwise: choice("omitted", "refused", "accepted"),
      status: maybe(choice(...STATUS_NAMES)),
    },
  },
  cacheWrites: {
    says: "update_enabled, and what UpdateActionResult does; an `empty` result may get the name of a worker, or be refused as broken (D52)",
    usedBy: ["cache-writes", "capabilities-service"],
    members: {
      announced: choice("yes", "no", "configured", "by-client"),
      refused: maybe(choice("dropped", ...STATUS_NAMES)),
      empty: maybe(choice("named", "refused")),
    },
  },
  execution: {
    says: "exec_enabled; whether Execute looks into the action cache, and how its stream ends",
    usedBy: ["wait-execution", "embedded server", "capabilities-service"],
    members: {
      offered: choice("yes", "no", "configured"),
      cacheLookup: maybe(flag),
      stream: maybe(choice("to-the-end", "first-operation")),
    },
  },
  unknownOperations: {
    says: "In what calls end that speak of an operation it does not know, or not any more (D46)",
    usedBy: ["unknown-operations", "wait-execution", "embedded server"],
    members: { endIn: choice(...STATUS_NAMES) },
  },
  priorities: {
    says: "The range of priorities it announces for executions, and which end of it is urgent to it: the lowest, unless said otherwise (D50)",
    usedBy: ["priorities", "capabilities-service"],
    members: { are: choice("any", "not-negative"), urgent: maybe(choice("lowest", "highest")) },
  },
  nodePropertyNames: {
    says: "What supported_node_properties lists: names of attributes, or of platform properties (D32)",
    usedBy: ["node-properties"],
    members: { are: list(text()), of: maybe(choice("files", "platform")) },
  },
  nodeAttributes: {
    says: "Attributes of files that it applies to inputs, and those that it returns for outputs (D30, D31); what is not known is left out",
    usedBy: ["node-properties"],
    members: { applied: maybe(list(text())), returned: maybe(list(text())) },
  },
  chunking: {
    says: "Whether SplitBlob and SpliceBlob are announced, and by which rule it cuts (D22)",
    usedBy: ["chunking"],
    members: {
      announced: choice("yes", "no", "configured"),
      rule: maybe(choice("fast-cdc-2020", "own")),
      unknownManifest: maybe(choice(...STATUS_NAMES)),
      missingChunk: maybe(choice(...STATUS_NAMES)),
    },
  },
  platformMatch: {
    says: "How it finds a worker for a platform: by the same set of properties, by names it knows, by rules of its configuration (D37)",
    usedBy: ["platform-lexicon", "embedded server"],
    members: {
      by: choice("equal-sets", "registered-names", "configuration"),
      otherwise: maybe(choice("precondition-text", "precondition-invalid")),
    },
  },
  platformProperties: {
    says: "Names of platform properties it is known to read (D37)",
    usedBy: ["platform-lexicon"],
    members: { are: list(text()) },
  },
  platformTable: {
    says: "What the bridge makes of platform properties on their way to it (D37): those it refuses, with a reason; then those it drops, those it changes, by the first entry that fits, and those it adds where no other has the name",
    usedBy: ["platform-lexicon"],
    members: {
      refuse: maybe(list(record({ ...property, why: text() }))),
      drop: maybe(list(record(property))),
      change: maybe(
        list(
          record({
            ...property,
            newName: maybe(text()),
            newValue: maybe(text()),
            valueCase: maybe(choice("lower", "upper")),
          }),
        ),
      ),
      add: maybe(list(record({ name: text(), value: text() }))),
    },
  },
  fileSystemRoot: {
    says: "The platform property that makes the input root the root of the file system, for clients that need it to be",
    usedBy: ["platform-lexicon"],
    members: { name: text(), value: text() },
  },
  missingInputs: {
    says: "How Execute tells of blobs that are missing: FAILED_PRECONDITION with MISSING for each, as text only, or NOT_FOUND (D07)",
    usedBy: ["missing-blobs"],
    members: {
      as: choice("missing", "text", "not-found"),
      of: maybe(list(choice("action", "command", "inputs"))),
      inResponse: maybe(flag),
    },
  },
  outputLists: {
    says: "Whether a path may be in both output_files and output_directories: then it is what is there (D24)",
    usedBy: ["output-paths", "embedded server"],
    members: { both: choice("accepted", "refused") },
  },
  sortedLists: {
    says: "Whether it refuses commands whose lists are not sorted and free of doubles",
    usedBy: ["output-paths", "embedded server"],
    members: { required: flag },
  },
  inlineOutputs: {
    says: "Whether outputs are inlined: never, or those asked for up to so many bytes (D44)",
    usedBy: ["inline-outputs"],
    members: { are: choice("never", "on-request"), mostBytes: maybe(count) },
  },
  requestMetadata: {
    says: "What it does with RequestMetadata: refuses a second header, acts on the name of the tool (D05)",
    usedBy: ["request-metadata"],
    members: { repeated: maybe(choice("refused")), toolActedOn: maybe(flag) },
  },
  assets: {
    says: "How Fetch and Push treat what they cannot do: unknown qualifiers, requests without URIs, writes (D54 to D57)",
    usedBy: ["asset-service", "asset-qualifiers", "asset-checksums"],
    members: {
      qualifiers: choice("ignored", "refused"),
      withoutUris: maybe(choice(...STATUS_NAMES)),
      push: maybe(choice("open", "configured")),
      checksums: maybe(choice("sha256")),
    },
  },
  vendorServices: {
    says: "Services beyond the API that it has, and that pass (D59)",
    usedBy: ["vendor-fields", "ancient-clients"],
    members: { are: list(text(/^[A-Za-z0-9_.]+$/)) },
  },
  recognition: {
    says: "Answers to harmless questions that tell it from others",
    usedBy: ["recognition"],
    members: {
      signs: list(
        record({
          ask: choice(...ASKS),
          status: choice("OK", ...STATUS_NAMES),
          text: maybe(expression),
        }),
      ),
    },
  },
} as const;
