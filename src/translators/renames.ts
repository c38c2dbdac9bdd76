import { assumed, byLevel, pass } from "./declare.ts";
import type { Translator } from "./translator.ts";

const SAME = pass("numbers and types stayed: the bytes are the same under both names");

/**
 * Fields and values that only changed their name (D04): enums moved into messages of their own, plurals, `content_digest`,
 * `blob_split_support`. Visible in JSON, text logs and reflection, and nowhere on the wire. What else is to be said of a renamed element is the
 * business of the feature that owns it.
 */
export const renames: Translator = {
  feature: {
    id: "renames",
    title: "Names that changed while the wire form stayed",
    since: "2.0",
    drift: ["D04"],
    why: "Text logs, JSON and reflection of the two sides show different names for the same bytes.",
    forms: { before: "names from before 2.0", after: "names since 2.0" },
  },
  owns: [
    "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest.Request.digest",
    "build.bazel.remote.execution.v2.BatchUpdateBlobsResponse.Response.digest",
  ],
  after: [],
  clientAhead: "passes",
  serverAhead: "passes",
  support: byLevel({
    // The first of the renames came with the functions of 2.0.
    element: "build.bazel.remote.execution.v2.DigestFunction.Value.SHA384",
    without: { reads: ["before"], writes: ["before"] },
    with: { reads: ["after"], writes: ["after"] },
  }),
  assume: { client: assumed(["after"], ["after"]), server: assumed(["after"], ["after"]) },
  toServer: SAME,
  toClient: SAME,
};
