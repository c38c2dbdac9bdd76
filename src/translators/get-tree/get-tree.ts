import { numberIn, textIn } from "../../wire/fields.ts";
import { WireError } from "../../wire/wire-error.ts";
import { assumed, pass } from "../declare.ts";
import { GET_TREE } from "../methods.ts";
import { of } from "../names.ts";
import { FORMS } from "../node-properties/forms.ts";
import { refusalOf } from "../refusal.ts";
import type { Call, Feature, FirstMessage, Pair, Step, Translator } from "../translator.ts";
import { TreeRequestField, treePages } from "./tree-pages.ts";

const ELEMENT = "build.bazel.remote.execution.v2.ContentAddressableStorage.GetTree";

const FEATURE: Feature = {
  id: "get-tree",
  title: "GetTree",
  since: "2018-11",
  drift: ["D21"],
  why: "Some servers do not have it, and some clients rely on it.",
  forms: {
    absent: "directories are read one by one",
    whole: "GetTree sends whole trees, and knows no page tokens",
    recoded: "GetTree sends directories without what the server does not know of them",
    offered: "GetTree sends a tree in pages, its directories as they are stored",
  },
};

const NOT_CALLED = pass("a client without GetTree does not call it");

/**
 * GetTree (D21). Where it is missing, the bridge walks the tree: breadth first, each directory once, as the bytes that are stored. A server that has it
 * serves it, and its answers are relayed, but for two kinds of calls: those that go on at a page token, where the server knows none, and those of clients that
 * may have put attributes into directories which the server would leave out, so that digests would not fit any more (D03).
 */
export const getTree: Translator = {
  feature: FEATURE,
  owns: [
    "behaviour:partial-tree",
    "behaviour:tree-page-token",
    ...of("ContentAddressableStorage", "GetTree"),
    ...of("GetTreeRequest", "instance_name", "root_digest", "page_size", "page_token"),
    ...of("GetTreeResponse", "directories", "next_page_token"),
  ],
  after: [],
  clientAhead:
    "where the server lacks GetTree, its page tokens or fields of directories, the bridge reads the directories one by one",
  serverAhead: "passes: a client without it does not call it",
  support: () => null,
  assume: { client: assumed(["offered"], ["offered"]), server: assumed(["offered"], ["offered"]) },
  toServer: {
    offered: {
      absent: {
        kind: "translate",
        does: "the bridge walks the tree, and reads its directories in batches",
        methods: { [GET_TREE]: { answer: async (first, _, call, pair) => walked(first, call, pair) } },
      },
      whole: walkedWhen(asksForPages),
      recoded: walkedWhen(mayLoseAttributes),
    },
    absent: { offered: NOT_CALLED, whole: NOT_CALLED, recoded: NOT_CALLED },
    whole: { offered: NOT_CALLED, absent: NOT_CALLED, recoded: NOT_CALLED },
    recoded: { offered: NOT_CALLED, absent: NOT_CALLED, whole: NOT_CALLED },
  },
  toClient: pass("what the server lacks is made on the way to it, and its own answers are those of the API"),
};

/** Walks where the call wants what the server does not do; other calls are relayed. */
function walkedWhen(wanted: (first: FirstMessage, pair: Pair) => boolean): Step {
  return {
    kind: "translate",
    does: "the bridge walks the tree where the call wants what the server does not do",
    methods: {
      [GET_TREE]: {
        when: wanted,
        exchange: async function* (requests, call, pair) {
          for await (const request of requests) yield* walked(request, call, pair);
        },
      },
    },
  };
}

/** A token is none of this server's; a size that the server only ignores is a wish that may be ignored. */
function asksForPages({ bytes, whole }: FirstMessage, { server }: Pair): boolean {
  if (!whole) return true;
  try {
    if (textIn(bytes, TreeRequestField.pageToken) !== "") return true;
    return server.facts.treePages?.are === "refused" && numberIn(bytes, TreeRequestField.pageSize) !== 0;
  } catch (error) {
    // Broken bytes are for the server to refuse.
    if (error instanceof WireError) return false;
    throw error;
  }
}

/** Whether the client writes attributes of files and directories in fields that the server does not know. */
function mayLoseAttributes(_: FirstMessage, { client, server }: Pair): boolean {
  const nodesOf = (forms: readonly string[] = []) => forms.flatMap((form) => FORMS[form]?.nodes ?? []);
  const known = nodesOf(server.features["node-properties"]?.reads);
  return nodesOf(client.features["node-properties"]?.writes).some((nodes) => !known.includes(nodes));
}

function walked(request: Buffer, call: Call, pair: Pair): AsyncIterable<readonly Buffer[]> {
  return treePages(request, call, (what) =>
    refusalOf(
      { feature: FEATURE },
      {
        code: "request-unsupported",
        has: "does not read such trees itself, and the bridge walks smaller ones only",
        fix: "read the directories one by one, or use an upstream with GetTree",
      },
      "offered",
      { what: `A tree ${what}`, element: ELEMENT, text: "root_digest" },
      pair,
    ),
  );
}
