import { assumed, byLevel, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Translator } from "./translator.ts";

const TOLD = pass("an action that runs out of time says so, whichever clock counted");

/**
 * What Action.timeout covers (D42): the execution alone since 2.3, and time in the queue too with some servers before. The number is the client's own, and
 * the deadline of a call is no substitute for it.
 */
export const timeouts: Translator = {
  feature: {
    id: "timeouts",
    title: "What the timeout of an action covers",
    since: "2.3",
    drift: ["D42"],
    why: "Older servers may count the time in the queue.",
    forms: { undefined: "the server decides", execution: "the execution alone" },
  },
  owns: [
    "behaviour:timeout-of-execution",
    ...of("Action", "timeout"),
    ...of("ExecutedActionMetadata", "virtual_execution_duration"),
  ],
  after: [],
  clientAhead: `passes: ${TOLD.why}`,
  serverAhead: `passes: ${TOLD.why}`,
  support: byLevel({
    element: "behaviour:timeout-of-execution",
    without: { reads: ["undefined"], writes: ["undefined"] },
    with: { reads: ["execution", "undefined"], writes: ["execution"] },
  }),
  assume: {
    client: assumed(["execution", "undefined"], ["execution", "undefined"]),
    server: assumed(["undefined"], ["undefined"]),
  },
  toServer: TOLD,
  toClient: pass("virtual_execution_duration is for people; a client that does not know it skips it"),
};
