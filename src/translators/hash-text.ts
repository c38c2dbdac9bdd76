import { formatResourceName, parseResourceName } from "../wire/resource-name.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { editTexts } from "./edit-texts.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  EXECUTE,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_TREE,
  QUERY_WRITE_STATUS,
  READ,
  UPDATE_ACTION_RESULT,
  WRITE,
} from "./methods.ts";
import { nameHeader } from "./name-header.ts";
import type { Call, Edit, FieldUse, MethodHooks, Reject, Translator, Use } from "./translator.ts";
import { findUse } from "./uses.ts";

const ID = "hash-text";
const HASH = "build.bazel.remote.execution.v2.Digest.hash";

/** The way to each hash in the requests, and in the responses that give digests of the request back. */
const HASHES: Readonly<Record<string, { readonly request: number[][]; readonly response?: number[][] }>> = {
  [EXECUTE]: { request: [[6, 1]] },
  [GET_ACTION_RESULT]: { request: [[2, 1]] },
  [UPDATE_ACTION_RESULT]: {
    request: [[2, 1], ...[[2, 2], [3, 3], [3, 5], [6], [8]].map((path) => [3, ...path, 1])],
  },
  [FIND_MISSING_BLOBS]: { request: [[2, 1]], response: [[2, 1]] },
  [BATCH_UPDATE_BLOBS]: { request: [[2, 1, 1]], response: [[1, 1, 1]] },
  [BATCH_READ_BLOBS]: { request: [[2, 1]], response: [[1, 1, 1]] },
  [GET_TREE]: { request: [[2, 1]] },
};

/** Messages that are hashed themselves: changing a letter in one would change its own digest. */
const HASHED: Reject = {
  kind: "reject",
  code: "digest-malformed",
  has: "reads lower-case hashes only, and the bridge cannot change a message that is hashed itself",
  fix: "have the client write hashes in lower case",
  uses: [
    inAction(upperCase([1, 1], "command_digest.hash")),
    inAction(upperCase([2, 1], "input_root_digest.hash")),
    { in: "directory", used: upperCase([1, 2, 1], "files[].digest.hash") },
    { in: "directory", used: upperCase([2, 2, 1], "directories[].digest.hash") },
  ],
};

/**
 * The text form of hashes (D12): lower case for every digest function since 2.9, before said of SHA-256 only. Hashes of requests and names are
 * lowered for a strict server, and given back to the client as it wrote them.
 */
export const hashText: Translator = {
  feature: {
    id: ID,
    title: "Hashes are lower-case hexadecimal",
    since: "2.9",
    drift: ["D12"],
    why: "A strict server refuses or does not find blobs whose hash has upper-case digits.",
    forms: { lower: "lower-case digits only", "any-case": "digits of either case" },
  },
  owns: ["behaviour:hash-text", HASH, "build.bazel.remote.execution.v2.Digest.size_bytes"],
  after: ["digest-function-field"],
  clientAhead: "passes: lower case is right everywhere",
  serverAhead: "lowered in requests and names; refused inside of messages that are hashed",
  support: byLevel({
    element: "behaviour:hash-text",
    without: { reads: ["any-case", "lower"], writes: ["lower"] },
    with: { reads: ["lower"], writes: ["lower"] },
  }),
  assume: {
    client: assumed(["any-case", "lower"], ["lower"]),
    server: assumed(["lower"], ["lower"]),
  },
  toServer: {
    lower: { "any-case": pass("lower case is one of the two") },
    "any-case": {
      lower: {
        kind: "translate",
        methods: lowering(),
        metadata: nameHeader(lowerText),
        refuse: HASHED,
      },
    },
  },
  toClient: pass("a client that compares hashes with its own gets them in its own case; others read either"),
};

function lowering(): Record<string, MethodHooks> {
  const hooks: Record<string, MethodHooks> = {
    [READ]: { head: { field: 1, rewrite: lowerName } },
    [WRITE]: { head: { field: 1, rewrite: lowerName } },
    [QUERY_WRITE_STATUS]: { head: { field: 1, rewrite: lowerName } },
  };
  for (const [path, { request, response }] of Object.entries(HASHES)) {
    hooks[path] = {
      request: (message, call) => lower(message, request, call),
      ...(response !== undefined && { response: (message, call) => restore(message, response, call) }),
    };
  }
  return hooks;
}

/** Lowers the hashes of a request and remembers how the client wrote them. */
function lower(message: Buffer, paths: number[][], { scratch }: Call): Edit {
  const written = new Map<string, string>();
  const edit = editTexts(message, paths, (hash) => {
    const lowered = hash.toLowerCase();
    if (lowered !== hash) written.set(lowered, hash);
    return lowered;
  });
  if (edit !== null) scratch.set(ID, written);
  return edit;
}

function restore(message: Buffer, paths: number[][], { scratch }: Call): Edit {
  const written = scratch.get(ID) as ReadonlyMap<string, string> | undefined;
  return written === undefined ? null : editTexts(message, paths, (hash) => written.get(hash) ?? hash);
}

function lowerName(value: Buffer | null): Buffer | null {
  if (value === null) return null;
  const name = value.toString();
  const lowered = lowerText(name);
  return lowered === name ? value : Buffer.from(lowered);
}

function lowerText(name: string): string {
  const parts = parseResourceName(name);
  const hash = parts?.digest.hash.toLowerCase();
  if (parts === null || hash === undefined || hash === parts.digest.hash) return name;
  return formatResourceName({ ...parts, digest: { ...parts.digest, hash } });
}

function inAction(use: FieldUse): Use {
  return { in: "action", used: { ...use, found: (action) => findUse(action, [use]) !== null } };
}

function upperCase(path: number[], text: string): FieldUse {
  const holds = (payload: Buffer): boolean => /[A-F]/.test(payload.toString("latin1"));
  return { path, text, what: "A hash with upper-case digits", element: null, holds };
}
