import { aboutCompressed } from "../blob-names.ts";
import { assumed, pass } from "../declare.ts";
import { QUERY_WRITE_STATUS, WRITE } from "../methods.ts";
import { ids } from "../names.ts";
import type { FirstMessage, Translate, Translator } from "../translator.ts";
import { COMMITTED_SIZE } from "./counts.ts";
import { reportStatus, reportUpload } from "./exchanges.ts";

const COUNTS = ["sent", "blob", "minus-one"];

/** Of a plain upload, everybody counts the same. */
const when = (first: FirstMessage): boolean => aboutCompressed(first, () => true);

const REPORTED: Translate = {
  kind: "translate",
  does: "a compressed upload is reported by the count that the client takes",
  methods: {
    [WRITE]: { when, exchange: reportUpload },
    [QUERY_WRITE_STATUS]: { when, exchange: reportStatus },
  },
};

const EXISTING: Translate = {
  kind: "translate",
  does: "that a blob is stored already is a success",
  methods: { [WRITE]: { exchange: reportUpload } },
};

const NEVER_MET = pass("no client is told of a blob that is there by an error");

/**
 * What is reported of a compressed upload (D16): the bytes that were sent, those of the blob, or -1. Clients take some of them and fail at the others, so
 * where the upstream may report what the client does not take, the bridge counts what is sent and reports what it does.
 */
export const committedSize: Translator = {
  feature: {
    id: COMMITTED_SIZE,
    title: "What is reported of an upload",
    since: "2.3",
    drift: ["D16"],
    why: "Peers count compressed or plain bytes, and some clients take another count for a broken upload.",
    forms: {
      sent: "bytes as they were sent",
      blob: "bytes of the blob",
      "minus-one": "-1, which says no more than that the blob is there",
      refused: "ALREADY_EXISTS for a blob that is there",
    },
  },
  owns: [
    "behaviour:committed-size",
    "behaviour:early-return",
    "behaviour:write-offset",
    ...ids("google.bytestream.WriteRequest", ["write_offset", "finish_write"]),
    "google.bytestream.WriteResponse.committed_size",
  ],
  after: ["compressed-blobs"],
  clientAhead: "the bridge counts, and reports what the client takes",
  serverAhead: "the bridge counts, and reports what the client takes",
  support: () => null,
  assume: { client: assumed(COUNTS, ["sent"]), server: assumed([...COUNTS, "refused"], COUNTS) },
  toServer: pass("requests say nothing of what was committed"),
  toClient: {
    ...Object.fromEntries(
      COUNTS.map((from) => [
        from,
        {
          ...Object.fromEntries(COUNTS.filter((to) => to !== from).map((to) => [to, REPORTED])),
          refused: NEVER_MET,
        },
      ]),
    ),
    refused: Object.fromEntries(COUNTS.map((to) => [to, EXISTING])),
  },
};
