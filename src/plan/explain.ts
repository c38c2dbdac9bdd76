/** What a plan means, for people and for scripts: pure data, made of what the plan decided. */
import type { Dialect } from "../peers/dialect.ts";
import { type Need, needOf } from "./client-needs.ts";
import { type CostClass, costOfMethod } from "./cost.ts";
import { explainOutcome, type Outcome } from "./explain-outcome.ts";
import { explainRows, type Row } from "./explain-rows.ts";
import { explainVersions, type Versions } from "./explain-versions.ts";
import type { KnownClient } from "./known-client.ts";
import type { MethodPlan, Plan } from "./plan.ts";
import type { Planner } from "./planner.ts";

/** One side. */
interface Party {
  readonly name: string;
  /** The level it is taken to follow in all that nothing else is said about; null where nobody knows. */
  readonly level: string | null;
}

/** A method that the bridge refuses or answers. */
export interface Method {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly lane: "reject" | "local";
  readonly features: readonly string[];
  /** How much the client depends on it, by its profile; null where that is not known. */
  readonly need: Need | null;
  readonly cost: CostClass;
  /** Why it is refused, and what to change; empty where the bridge answers. */
  readonly why: string;
}

/** All there is to say of a client at a server. The keys are those of `explain --json`: they gain companions but do not change. */
export interface Explanation {
  readonly client: Party;
  readonly server: Party;
  readonly versions: Versions;
  readonly rows: readonly Row[];
  readonly methods: readonly Method[];
  readonly outcome: Outcome;
}

/** What becomes of a client at a server. Pure: the same for equal input. */
export function explain(client: KnownClient, server: Dialect<"server">, planner: Planner): Explanation {
  const plan = planner.plan(client, server);
  const name = plan.pair.client.name;
  const versions = explainVersions(client, plan);
  const rows = explainRows(client, plan, planner);
  const methods = [...plan.methods].flatMap(([path, method]) => explainMethod(path, method, client, plan));
  return {
    client: partyOf(plan.pair.client),
    server: partyOf(server),
    versions,
    rows,
    methods,
    outcome: explainOutcome(name, versions, rows, methods),
  };
}

function partyOf({ name, version }: Dialect): Party {
  return { name, level: version };
}

function explainMethod(path: string, method: MethodPlan, client: KnownClient, { pair }: Plan): Method[] {
  const { lane, features, refusal } = method;
  if (lane !== "reject" && lane !== "local") return [];
  const facts = refusal?.().facts;
  const server = `the upstream "${pair.server.name}"`;
  const why = facts === undefined ? "" : `${facts.has.replace(server, "the upstream")}; ${facts.fix}`;
  return [{ path, lane, features, need: needOf(path, client), cost: costOfMethod(method), why }];
}
