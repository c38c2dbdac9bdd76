import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Translator } from "./translator.ts";

const MAPPED = pass("where another action runs, the engine finds its results under the client's digest");

/**
 * The digest of an action as a key (D53): where another action runs in place of the client's, its digest is another, and every place that names it is mapped (R3, R4).
 * No hook does that, the engine does, for whatever feature it runs (`src/actions`). The policy `require` has it keep results under keys of its own as well (K3), and
 * look for the client's own entries before it executes.
 */
export const actionKeys: Translator = {
  feature: {
    id: "action-keys",
    title: "The digest of an action as a key",
    since: "2018-11",
    drift: ["D53"],
    why: "Where another action runs in place of the client's, its digest is another.",
    forms: { same: "the client's digest", other: "another digest than the client's" },
  },
  owns: [
    ...["ExecuteRequest", "GetActionResultRequest", "UpdateActionResultRequest"].flatMap((message) =>
      of(message, "action_digest"),
    ),
    ...of("ExecuteOperationMetadata", "action_digest"),
    ...of("ActionCache", "GetActionResult"),
  ],
  after: [],
  clientAhead:
    "the digest of what runs is computed from the client's own blobs, and comes back as the client's",
  serverAhead: "the same",
  support: () => null,
  assume: { client: assumed(["same"], ["same"]), server: assumed(["same"], ["same"]) },
  toServer: { same: { other: MAPPED }, other: { same: MAPPED } },
  toClient: { same: { other: MAPPED }, other: { same: MAPPED } },
};
