import { assumed, byLevel, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Translator } from "./translator.ts";

const KNOWN =
  "a client knows the function of the action that it sent, and the length of the hash tells all functions but GITSHA1";

/**
 * The digest function in the metadata of operations (D11). Only GITSHA1 must be named there, and servers that have it are newer than the field. Where another
 * action runs in place of the client's, its digest comes back as the client's own, of the same function.
 */
export const operationDigestFunction: Translator = {
  feature: {
    id: "operation-digest-function",
    title: "The digest function in the metadata of operations",
    since: "2.11",
    drift: ["D11"],
    why: "A client would have to guess which function the digest of the action is of.",
    forms: { unset: "the field is absent", set: "the field names the function" },
  },
  owns: of("ExecuteOperationMetadata", "digest_function"),
  after: [],
  clientAhead: `passes: ${KNOWN}`,
  serverAhead: "passes: a client that does not know the field skips it",
  support: byLevel({
    element: "build.bazel.remote.execution.v2.ExecuteOperationMetadata.digest_function",
    without: { reads: ["unset"], writes: ["unset"] },
    with: { reads: ["set", "unset"], writes: ["set"] },
  }),
  assume: { client: assumed(["set", "unset"], ["set"]), server: assumed(["unset"], ["unset"]) },
  toServer: pass("a client writes no operations"),
  toClient: {
    unset: { set: pass(KNOWN) },
    set: { unset: pass("a client that does not know the field skips it") },
  },
};
