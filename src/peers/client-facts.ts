/** The facts a profile may state of a client besides the forms of features: each is used by a translator, a refusal, a lens or the client that tests play. */
import { LEVELS } from "../spec/versions.ts";
import { functionName, methodName, semVer } from "./common-kinds.ts";
import { PROFILE_FEATURES, type ProfileFeature } from "./profile-features.ts";
import { choice, count, expression, flag, list, maybe, record, text } from "./profile-kinds.ts";

const features = Object.keys(PROFILE_FEATURES) as ProfileFeature[];
const form = choice(...new Set(Object.values(PROFILE_FEATURES).flatMap(({ forms }) => forms)));

/** Every fact of a client: what it says, which features (or parts of this project) go by it, and its members. `evidence` comes on top of each. */
export const CLIENT_FACTS = {
  level: {
    says: "The level of the API that it follows in all that nothing else is said about",
    usedBy: ["every feature"],
    members: { is: choice(...LEVELS) },
  },
  tool: {
    says: "How it names itself in RequestMetadata: what tool_name matches, and tool_version with one group around the version",
    usedBy: ["recognition"],
    members: { name: expression, version: maybe(expression) },
  },
  versionRule: {
    says: "Which windows it goes on with: any; those that hold its version; those that meet its range. And what it makes of a window that meets as deprecated only (D02)",
    usedBy: ["api-version"],
    members: {
      needs: choice("nothing", "holds", "meets"),
      low: maybe(semVer),
      high: maybe(semVer),
      deprecated: maybe(choice("refuses", "warns")),
      unstated: maybe(choice("goes-on", "refuses")),
    },
  },
  versionGates: {
    says: "Forms it writes or reads only from an announced version on. `by` is what it looks at: the highest version, or the one both have",
    usedBy: ["api-version"],
    members: {
      by: choice("highest", "negotiated"),
      unmet: maybe(choice("older", "newer")),
      gates: list(
        record({
          feature: choice(...features),
          from: semVer,
          newer: list(form),
          older: list(form),
          of: choice("reads", "writes"),
        }),
      ),
    },
  },
  digestFunctions: {
    says: "Digest functions it can use, its default first (D09)",
    usedBy: ["digest-functions"],
    members: { are: list(functionName), gitHashes: maybe(flag) },
  },
  compressors: {
    says: "Compressors it can use, and how it chooses: its own order, the first one announced, or it stops without (D15)",
    usedBy: ["compressed-blobs", "batch-compression"],
    members: {
      are: list(choice("ZSTD", "DEFLATE", "BROTLI")),
      choice: choice("own-order", "first-announced", "required"),
      optional: maybe(flag),
    },
  },
  committedSize: {
    says: "Which counts it takes for a whole compressed upload (D16)",
    usedBy: ["committed-size"],
    members: { takes: list(choice("sent", "blob", "minus-one")) },
  },
  batchLimit: {
    says: "Bytes of a batch where none, or 0, is announced; 0 if it takes that literally; and what it counts (D18, P03)",
    usedBy: ["batch-limits"],
    members: { unstated: maybe(count), mostDigests: maybe(count), counts: maybe(choice("blobs", "message")) },
  },
  findMissing: {
    says: "Whether it divides long lists in FindMissingBlobs",
    usedBy: ["batch-limits"],
    members: { divided: flag },
  },
  calls: {
    says: "Methods it cannot do without, with every server; those for execution only; and those it does without",
    usedBy: ["cache-writes", "test client"],
    members: {
      required: list(methodName),
      execution: maybe(list(methodName)),
      optional: maybe(list(methodName)),
    },
  },
  vendorServices: {
    says: "Services beyond the API that it cannot do without",
    usedBy: ["vendor-fields"],
    members: { are: list(text(/^[A-Za-z0-9_.]+$/)) },
  },
  cacheWrites: {
    says: "Whether it writes to the action cache, and stops where update_enabled is false (D52)",
    usedBy: ["cache-writes"],
    members: { made: flag, needed: maybe(flag) },
  },
  capabilities: {
    says: "What it cannot start without: GetCapabilities at all, either part of the reply, and what it does without an answer (D01)",
    usedBy: ["capabilities-service"],
    members: {
      without: choice("stops", "defaults"),
      parts: maybe(list(choice("cache", "execution"))),
      priorityChecked: maybe(flag),
    },
  },
  executionFunction: {
    says: "Whether the digest function of executions must be its own (D10)",
    usedBy: ["execution-digest-functions"],
    members: { mustMatch: flag },
  },
  missingInputs: {
    says: "What makes it upload again after an execution: MISSING violations only, and whether their subject may name a digest function (D07)",
    usedBy: ["missing-blobs"],
    members: {
      from: choice("missing", "nothing"),
      subject: maybe(choice("short", "either")),
      otherTypes: maybe(choice("ignored", "fatal")),
    },
  },
  cacheErrors: {
    says: "Whether a GetActionResult that ends in anything but NOT_FOUND is the end of it",
    usedBy: ["action-keys", "test client"],
    members: { fatal: flag },
  },
  outputDirectories: {
    says: "Whether its commands count on directories of output_directories being there when they start, as many servers make them (D24, D28)",
    usedBy: ["output-paths"],
    members: { expected: flag },
  },
  results: {
    says: "What it makes of results: whether files it did not ask for are fatal, and outputs that are not there",
    usedBy: ["output-paths", "test client", "output-symlinks", "output-nesting", "empty-output-directories"],
    members: {
      unaskedFiles: maybe(choice("ignored", "fatal")),
      missingOutputs: maybe(choice("ignored", "fatal")),
    },
  },
  waitExecution: {
    says: "What a broken stream of Execute leads to: WaitExecution, or a new Execute",
    usedBy: ["wait-execution", "instance-names"],
    members: { used: flag },
  },
  platformProperties: {
    says: "Names of platform properties it sends (D37)",
    usedBy: ["platform-lexicon"],
    members: { are: list(text()) },
  },
  nodeAttributes: {
    says: "Attributes of files that it asks for and reads (D30, D31)",
    usedBy: ["node-properties"],
    members: { asked: list(text()), read: list(text()) },
  },
  inputRoot: {
    says: "Whether it needs the input root to be the root of the file system",
    usedBy: ["platform-lexicon"],
    members: { isRoot: flag },
  },
  assets: {
    says: "How it tries whether there are Fetch and Push: requests without URIs that must end in INVALID_ARGUMENT (D54); and its form of checksums (D57)",
    usedBy: ["asset-service", "asset-checksums"],
    members: { probesWithoutUris: maybe(flag), checksums: maybe(choice("one", "several")) },
  },
  chunking: {
    says: "Which rules of SplitBlob and SpliceBlob it uses, if announced (D22)",
    usedBy: ["chunking"],
    members: { rules: list(choice("fast-cdc-2020", "rep-max-cdc", "own")), optional: maybe(flag) },
  },
} as const;
