import { assumed, byLevel, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Translator } from "./translator.ts";

const OPAQUE = pass(
  "names of streams are opaque to the bridge and name the same stream on either side of it",
);

/**
 * The names of the streams of a running action (D48). Since 2.2 they are names for ByteStream; before, each server had its own idea. They pass as they are,
 * in the metadata of operations and in calls of ByteStream, whose other names are told by their words: what a name without those means, and that one for
 * writing cannot be read, the upstream knows.
 */
export const streamNames: Translator = {
  feature: {
    id: "stream-names",
    title: "Names of log streams",
    since: "2.2",
    drift: ["D48"],
    why: "Output of a running action can be followed.",
    forms: {
      opaque: "names that say nothing of how to read them",
      "byte-stream": "names of ByteStream at the endpoint that hosts streams",
    },
  },
  owns: [
    "behaviour:stream-names",
    ...of("ExecuteOperationMetadata", "stdout_stream_name", "stderr_stream_name"),
  ],
  after: [],
  clientAhead: "passes: the streams are a convenience, and the whole output is in the result",
  serverAhead: "passes: the streams are a convenience, and the whole output is in the result",
  support: byLevel({
    element: "behaviour:stream-names",
    without: { reads: ["opaque"], writes: ["opaque"] },
    with: { reads: ["byte-stream", "opaque"], writes: ["byte-stream"] },
  }),
  assume: {
    client: assumed(["byte-stream", "opaque"], ["byte-stream"]),
    server: assumed(["opaque"], ["opaque"]),
  },
  toServer: OPAQUE,
  toClient: OPAQUE,
};
