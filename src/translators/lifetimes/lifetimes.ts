import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { knows } from "../../spec/ledger.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { numberIn } from "../../wire/fields.ts";
import { Status } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";
import { assumed, pass } from "../declare.ts";
import { GET_ACTION_RESULT } from "../methods.ts";
import { of } from "../names.ts";
import type { Call, Translate, Translator } from "../translator.ts";
import { missingOf } from "./references.ts";

const ID = "lifetimes";
/** GetActionResultRequest.digest_function. */
const DIGEST_FUNCTION = 6;

const MORE = pass("a hit of which more is known than the client relies on does no harm");

const CHECKED: Translate = {
  kind: "translate",
  does: "the bridge looks for the blobs of a hit, which is a miss if one is gone",
  methods: { [GET_ACTION_RESULT]: { request: noteFunction, response: checked } },
};

/**
 * How long blobs stay (D23). A client since 2.0 takes a hit in the action cache for a promise that the blobs of the result are there, and fails late where one
 * is not. Of a server that promises nothing, the bridge asks for all of them before the client sees the hit, and makes it a miss if one is gone: one question
 * more for each hit, and one for each level of its output directories. The policy `require` does so for a server that only should by its level, and for one of
 * which nothing is known. Results in the answer to Execute are taken as they come: they are of this moment, or looked up by the server itself. To
 * prolong a life there is no way but to read the blob, which the bridge does not do.
 */
export const lifetimes: Translator = {
  feature: {
    id: ID,
    title: "How long blobs stay",
    since: "2.2",
    drift: ["D23"],
    why: "Clients rely longer on what they were told is there.",
    forms: {
      unsaid: "a hit says nothing of the blobs of its result",
      promised: "by its level the server sees to it that they are there, and stay for a while",
      checked: "it is known that the server does so",
    },
  },
  owns: [
    "behaviour:find-prolongs",
    "behaviour:hit-prolongs",
    ...of("ContentAddressableStorage", "FindMissingBlobs"),
    ...of("FindMissingBlobsRequest", "instance_name", "blob_digests"),
    ...of("FindMissingBlobsResponse", "missing_blob_digests"),
  ],
  after: ["digest-function-field", "execution-metadata", "hash-text"],
  clientAhead: "a hit is a miss if a blob of its result is gone",
  serverAhead: "passes: a longer life does no harm",
  support,
  assume: {
    client: assumed(["checked"], ["promised"]),
    server: assumed(["unsaid", "promised", "checked"], ["promised"]),
  },
  toServer: pass("how long blobs are wanted is in no request"),
  toClient: {
    unsaid: { promised: CHECKED, checked: CHECKED },
    promised: {
      unsaid: MORE,
      checked: {
        ...CHECKED,
        optIn:
          "since 2.0 a server sees to the blobs of its hits by itself, and one of which nothing is known is taken to do so",
      },
    },
    checked: { unsaid: MORE, promised: MORE },
  },
};

/** A client before 2.0 was told nothing, and relies on nothing. */
function support({ role, level }: PeerFacts): Support | null {
  if (level === null) return null;
  const { value, evidence } = level;
  const promised = knows(value, "behaviour:hit-prolongs");
  if (role === "server")
    return { reads: ["unsaid", "promised", "checked"], writes: [promised ? "promised" : "unsaid"], evidence };
  return { reads: promised ? ["checked"] : ["checked", "unsaid"], writes: ["promised"], evidence };
}

function noteFunction(request: Buffer, { scratch }: Call): null {
  scratch.set(ID, numberIn(request, DIGEST_FUNCTION));
  return null;
}

/** The result as it is. @throws UpstreamError NOT_FOUND where a blob of it is gone, or nobody can tell. */
async function checked(result: Buffer, call: Call): Promise<null> {
  const port = call.portFor((call.scratch.get(ID) as number | undefined) ?? 0);
  const why = await whyMissing(result, { port, budget: call.budget });
  if (why === null) return null;
  throw new UpstreamError(Status.NOT_FOUND, `there is a result, but it cannot be relied on: ${why}`);
}

async function whyMissing(...[result, parts]: Parameters<typeof missingOf>): Promise<string | null> {
  try {
    return await missingOf(result, parts);
  } catch (error) {
    const isWrong = error instanceof UpstreamError && error.code === Status.INVALID_ARGUMENT;
    if (error instanceof WireError || isWrong) return (error as Error).message;
    throw error;
  }
}
