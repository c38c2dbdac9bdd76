import { assumed, byLevel, pass } from "./declare.ts";
import { CREATE_LOG_STREAM } from "./methods.ts";
import { ids } from "./names.ts";
import type { Reject, Translator } from "./translator.ts";

const PACKAGE = "build.bazel.remote.logstream.v1";
const CREATE = `${PACKAGE}.LogStreamService.CreateLogStream` as const;

const ABSENT: Reject = {
  kind: "reject",
  code: "method-unsupported",
  has: "does not have it",
  fix: "use an upstream that has it, or have the client keep its logs elsewhere",
  uses: [
    {
      in: "call",
      methods: [CREATE_LOG_STREAM],
      used: { what: "The method CreateLogStream", element: CREATE, text: null },
    },
  ],
};

/**
 * The LogStream service (D48). Streams are made by CreateLogStream and then written and read by ByteStream, under names that say nothing to the bridge: those
 * calls are relayed as they come, for as long as the stream lasts. A stream that an upstream cannot make nobody could read later, so nothing stands in for it.
 */
export const logStreams: Translator = {
  feature: {
    id: "log-streams",
    title: "The LogStream service",
    since: "2.2",
    drift: ["D48"],
    why: "Without it nobody can create a stream.",
    forms: { absent: "the server does not have the service", offered: "CreateLogStream" },
  },
  owns: [
    CREATE,
    `${PACKAGE}.CreateLogStreamRequest.parent`,
    ...ids(`${PACKAGE}.LogStream`, ["name", "write_resource_name"]),
  ],
  after: [],
  clientAhead: "refused where the server is known to lack it; else the server itself answers",
  serverAhead: "passes: a client without it does not call it",
  support: byLevel({
    element: CREATE,
    without: { reads: ["absent"], writes: ["absent"] },
    with: { reads: ["offered", "absent"], writes: ["offered", "absent"] },
  }),
  assume: {
    client: assumed(["offered", "absent"], ["offered", "absent"]),
    server: assumed(["absent"], ["absent"]),
  },
  toServer: {
    offered: { absent: ABSENT },
    absent: { offered: pass("a client without it does not call it") },
  },
  toClient: pass("answers come to calls that were served"),
};
