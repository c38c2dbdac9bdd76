import type { Dialect } from "../../../src/peers/dialect.ts";
import { explain } from "../../../src/plan/explain.ts";
import type { KnownClient } from "../../../src/plan/known-client.ts";
import { planner } from "./rig.ts";

/** The features that `explain` says are refused of a client at a server, in some form or with whole methods. */
export function foretold(client: KnownClient, server: Dialect<"server">): Set<string> {
  const { rows, methods } = explain(client, server, planner);
  return new Set([
    ...rows.flatMap(({ feature, verdict, refused }) =>
      verdict === "reject" || refused !== null ? [feature] : [],
    ),
    ...methods.flatMap(({ lane, features }) => (lane === "reject" ? features : [])),
  ]);
}
