import { assumed, byLevel, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Translator } from "./translator.ts";

const WORKS = pass("salt changes the digest of the action, and thereby does its work on any server");

/**
 * Action.salt (D38): bytes that keep apart what must not share a cache entry. A server has no need to know it. It survives whatever else is done to an
 * Action; only a server to which unknown fields are an error is another matter, which is `strict-canonical`'s.
 */
export const salt: Translator = {
  feature: {
    id: "salt",
    title: "A salt for the action cache",
    since: "2.2",
    drift: ["D38"],
    why: "It separates entries that must not be shared.",
    forms: { none: "no salt", salt: "Action.salt" },
  },
  owns: of("Action", "salt"),
  after: [],
  clientAhead: `passes: ${WORKS.why}`,
  serverAhead: "passes: an action without salt is one like any other",
  support: byLevel({
    element: "build.bazel.remote.execution.v2.Action.salt",
    without: { reads: ["none"], writes: ["none"] },
    with: { reads: ["salt", "none"], writes: ["salt", "none"] },
  }),
  assume: { client: assumed(["salt", "none"], ["salt", "none"]), server: assumed(["none"], ["none"]) },
  toServer: {
    salt: { none: WORKS },
    none: { salt: pass("an action without salt is one like any other") },
  },
  toClient: pass("no response has a salt"),
};
