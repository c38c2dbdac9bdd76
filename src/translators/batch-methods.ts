import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { readByStreams } from "./batches/reads.ts";
import { updateByStreams } from "./batches/updates.ts";
import { assumed, pass } from "./declare.ts";
import { BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS, READ } from "./methods.ts";
import { of } from "./names.ts";
import type { Reject, Translate, Translator } from "./translator.ts";

/** Streams stand in for a method that is missing, so they come first. */
const ALL = ["streams", "reads", "updates"];
const ELEMENT = "build.bazel.remote.execution.v2.ContentAddressableStorage.BatchReadBlobs";

const READ_EACH: Translate = {
  kind: "translate",
  does: "blobs are read as streams, several at a time",
  methods: { [BATCH_READ_BLOBS]: { answer: async (first, _, call) => readByStreams(first, call) } },
};

const WRITE_EACH: Translate = {
  kind: "translate",
  does: "blobs are stored as streams, several at a time",
  methods: { [BATCH_UPDATE_BLOBS]: { answer: async (first, _, call) => updateByStreams(first, call) } },
};

const OTHER = pass("a client that uses the other batch method, or streams, does so with every server");

function refused(method: string): Reject {
  return {
    kind: "reject",
    code: "method-unsupported",
    has: "has no way to blobs at all",
    fix: "use an upstream that keeps blobs",
    uses: [
      {
        in: "call",
        methods: [method],
        used: { what: "A batch method of the store", element: ELEMENT, text: null },
      },
    ],
  };
}

/**
 * The batch methods of the store (D20). Where one of them is missing, its calls are served by ByteStream, few streams at a time, with a status for each blob. An
 * empty batch is a question whether the method is there, and is answered as the server would that has it.
 */
export const batchMethods: Translator = {
  feature: {
    id: "batch-methods",
    title: "Batch methods of the store",
    since: "2018-11",
    drift: ["D20"],
    why: "Clients of small blobs call nothing else.",
    forms: {
      none: "no blobs at all",
      streams: "ByteStream only",
      reads: "BatchReadBlobs",
      updates: "BatchUpdateBlobs",
    },
  },
  owns: [
    "behaviour:empty-batch",
    ...of("ContentAddressableStorage", "BatchReadBlobs", "BatchUpdateBlobs"),
    ...of("BatchReadBlobsRequest", "instance_name", "digests"),
    ...of("BatchReadBlobsResponse", "responses", "Response.digest", "Response.data", "Response.status"),
    ...of("BatchUpdateBlobsRequest", "instance_name", "requests", "Request.data"),
    ...of("BatchUpdateBlobsResponse", "responses", "Response.status"),
  ],
  after: [],
  clientAhead: "the blobs of a batch are read and stored by ByteStream, with a status for each",
  serverAhead: "passes: a client without them does not call them",
  support,
  assume: { client: assumed(ALL, ALL), server: assumed(ALL, ["streams"]) },
  toServer: {
    reads: { streams: READ_EACH, updates: READ_EACH, none: refused(BATCH_READ_BLOBS) },
    updates: { streams: WRITE_EACH, reads: WRITE_EACH, none: refused(BATCH_UPDATE_BLOBS) },
    streams: { reads: OTHER, updates: OTHER, none: OTHER },
    none: { streams: OTHER, reads: OTHER, updates: OTHER },
  },
  toClient: pass("what a client asked for in a batch comes in one"),
};

/** By level, but for the methods that are known to be missing. */
function support({ level, missingMethods }: PeerFacts): Support | null {
  if (level === null) return null;
  const methods: Readonly<Record<string, string>> = { reads: BATCH_READ_BLOBS, updates: BATCH_UPDATE_BLOBS };
  const older = knows(level.value, ELEMENT) ? ALL : ["streams"];
  const there = older.filter((form) => !missingMethods.includes(methods[form] ?? READ));
  const forms = there.length > 0 ? there : ["none"];
  return { reads: forms, writes: forms, evidence: level.evidence };
}
