import { resourceNameIn, writeWriteStatus } from "../wire/byte-stream.ts";
import { parseResourceName } from "../wire/resource-name.ts";
import { assumed, pass } from "./declare.ts";
import { QUERY_WRITE_STATUS } from "./methods.ts";
import { ids } from "./names.ts";
import { refusalOf } from "./refusal.ts";
import type { Call, Feature, Pair, Translator } from "./translator.ts";

const FEATURE: Feature = {
  id: "write-status",
  title: "QueryWriteStatus",
  since: "2018-11",
  drift: ["D14", "D16"],
  why: "A client that resumes an upload asks first, and gives up on an error.",
  forms: {
    absent: "the server does not have QueryWriteStatus",
    offered: "QueryWriteStatus tells how far an upload is",
  },
};

const NOT_ASKED = pass("a client that does not ask needs no answer");

/**
 * QueryWriteStatus (D14, D16). Where the upstream lacks it, whether the blob is there tells all that is known: an upload is complete, or begins anew. What a
 * broken upload left, such an upstream cannot go on with either.
 */
export const writeStatus: Translator = {
  feature: FEATURE,
  owns: [
    ...ids("google.bytestream.ByteStream", ["QueryWriteStatus"]),
    ...ids("google.bytestream.QueryWriteStatusResponse", ["committed_size", "complete"]),
  ],
  after: [],
  clientAhead: "the bridge looks whether the blob is there; an upload that is not complete begins anew",
  serverAhead: "passes: a client that does not ask needs no answer",
  support: () => null,
  assume: {
    client: assumed(["offered", "absent"], ["offered"]),
    server: assumed(["offered", "absent"], ["offered"]),
  },
  toServer: {
    offered: {
      absent: {
        kind: "translate",
        does: "the bridge asks whether the blob is stored; of one that is not, nothing has come",
        methods: { [QUERY_WRITE_STATUS]: { answer } },
      },
    },
    absent: { offered: NOT_ASKED },
  },
  toClient: pass("what the server does not answer, the bridge does in its place"),
};

async function answer(
  first: Buffer,
  _requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
): Promise<AsyncIterable<readonly Buffer[]>> {
  const name = parseResourceName(resourceNameIn(first) ?? "");
  if (name === null) throw notABlob(pair);
  const { digest, digestFunction } = name;
  const missing = await call.portFor(digestFunction?.number ?? 0).findMissing([digest]);
  const isThere = missing.length === 0;
  return (async function* () {
    yield writeWriteStatus(isThere ? digest.sizeBytes : 0, isThere);
  })();
}

/** Of what is no blob, such as the stream of a log, nobody but the upstream could tell. */
function notABlob(pair: Pair) {
  const step = {
    code: "method-unsupported",
    has: "does not have it",
    fix: "ask about blobs only, or use an upstream that has the method",
  } as const;
  const what = "QueryWriteStatus for a name that is not one of a blob";
  return refusalOf({ feature: FEATURE }, step, "offered", { what, element: null, text: null }, pair);
}
