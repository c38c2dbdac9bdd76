import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { knows } from "../../../src/spec/ledger.ts";
import type { Level } from "../../../src/spec/versions.ts";

/** A client that is as its level and asks for no version. */
export function levelClient(level: Level): ResolvedClient {
  const evidence = "the level itself";
  return {
    role: "client",
    peer: "api",
    title: "API",
    name: `api@${level}`,
    range: level,
    ends: { from: null, to: null },
    facts: { level: { is: level, evidence } },
    // No level tells the rule by which programs are found: servers worked by the newer one before it was written down.
    features: {
      argv0: { writes: [knows(level, "behaviour:argv0") ? "working-directory" : "input-root"], evidence },
    },
  };
}
