import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { knows } from "../../spec/ledger.ts";
import type { Blob } from "../../upstream/port.ts";
import { canHash, digestOf } from "../../wire/hasher.ts";
import { assumed, pass } from "../declare.ts";
import { UPDATE_ACTION_RESULT } from "../methods.ts";
import { of } from "../names.ts";
import { refusalOf } from "../refusal.ts";
import type { Call, Edit, Feature, Pair, Translate, Translator } from "../translator.ts";
import { editUpdate } from "../update-request.ts";
import { withRoots } from "./roots-of-trees.ts";
import { lacksTrees, withTrees } from "./trees-of-roots.ts";

const V2 = "build.bazel.remote.execution.v2";
const FORMAT = `${V2}.Command.output_directory_format` as const;
const ROOT = `${V2}.OutputDirectory.root_directory_digest` as const;

const FEATURE: Feature = {
  id: "output-directory-format",
  title: "Output directories as trees or as directories",
  since: "2.8",
  drift: ["D40", "D41"],
  why: "A client that asked for directories gets trees, and one that reads trees misses what is stored as directories.",
  forms: {
    tree: "a Tree",
    directory: "the digest of a root Directory alone",
    both: "a Tree always, and the digest of the root where it was asked for",
  },
};

const TREE_THERE = pass("a Tree is there always");

/** What the client asks for is made when the result comes: the Command, and so its digest, stays. */
const ASKED: Translate = {
  kind: "translate",
  methods: { [UPDATE_ACTION_RESULT]: { request: storeTrees } },
  content: { result: withRoots },
};

const ROOTS: Translate = { kind: "translate", content: { result: withRoots } };

const TREES: Translate = {
  kind: "translate",
  content: { result: (result, originals, pair) => withTrees(result, originals, tooLarge(pair)) },
};

/**
 * Output directories (D40): a Tree that holds all of one, or since 2.8 the digest of its root, whose directories are blobs of their own. What the other
 * side needs is added to what there is, and stored; nothing is taken away. Trees that are made here are sorted, and say so; others keep their order
 * and their flag (D41).
 */
export const outputDirectoryFormat: Translator = {
  feature: FEATURE,
  owns: [
    ...of("Command", "output_directory_format"),
    ...of("Command.OutputDirectoryFormat", "TREE_ONLY", "DIRECTORY_ONLY", "TREE_AND_DIRECTORY"),
    ...of("OutputDirectory", "tree_digest", "root_directory_digest", "is_topologically_sorted"),
    ...of("Tree", "root", "children"),
  ],
  after: ["digest-function-field", "inline-outputs", "output-base", "priorities"],
  clientAhead:
    "where the client asks for directories, those of the Tree are stored one by one and the root is named",
  serverAhead: "where a result names a root alone, its directories are read and a Tree is made of them",
  support,
  assume: {
    client: assumed(["directory", "both", "tree"], ["directory", "both", "tree"]),
    server: assumed(["tree"], ["tree"]),
  },
  toServer: {
    tree: {
      directory: pass("a Tree is made of what comes back"),
      both: pass("a Tree is among what comes back"),
    },
    directory: { tree: ASKED, both: pass("the root is among what comes back") },
    both: { tree: ASKED, directory: pass("a Tree is made of what comes back") },
  },
  toClient: {
    tree: { directory: ROOTS, both: ROOTS },
    directory: { tree: TREES, both: TREES },
    both: { tree: TREE_THERE, directory: pass("the root is there where it was asked for") },
  },
};

/**
 * That a level has root digests does not mean that its servers leave Trees out: only an action that asks for it gets a result without, and whoever looks that
 * up has asked in the same way.
 */
function support({ role, level }: PeerFacts): Support | null {
  if (level === null) return null;
  const { value, evidence } = level;
  if (!knows(value, FORMAT)) {
    const reads = role === "client" ? ["tree", "both"] : ["tree"];
    return { reads, writes: ["tree"], evidence };
  }
  const forms = ["directory", "both", "tree"];
  return { reads: forms, writes: role === "client" ? forms : ["both"], evidence };
}

/** A result that the client stores for others, some of whom read Trees only, as the server may. */
function storeTrees(request: Buffer, call: Call, pair: Pair): Promise<Edit> {
  return editUpdate(request, call, (result, { port, fn }) => {
    if (!lacksTrees(result)) return null;
    if (!canHash(fn)) throw refusal(pair, "", `has digests of ${fn.name}, which the bridge cannot make`);
    const store = {
      port,
      digestOf: (bytes: Buffer) => digestOf(bytes, fn),
      async derive<Value>(_: string, make: () => Promise<{ value: Value; blobs: readonly Blob[] }>) {
        const { value, blobs } = await make();
        await port.writeBlobs(blobs);
        return value;
      },
    };
    return withTrees(result, store, tooLarge(pair));
  });
}

function tooLarge(pair: Pair): (path: string) => Error {
  return (path) =>
    refusal(pair, path, "takes one Tree, which the bridge makes of 16 MiB and 100 000 directories at most");
}

function refusal(pair: Pair, path: string, has: string): Error {
  const what =
    path === "" ? "An output directory without a Tree" : `The output directory ${path} without a Tree`;
  const used = { what, element: ROOT, text: "output_directories[].root_directory_digest" };
  const fix = "have results name Trees, or use clients that read directories";
  return refusalOf({ feature: FEATURE }, { code: "output-unsupported", has, fix }, "directory", used, pair);
}
