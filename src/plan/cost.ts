/** What a plan costs the calls it concerns. */
import type { Support } from "../peers/dialect.ts";
import { GET_CAPABILITIES } from "../translators/methods.ts";
import type { Translator } from "../translators/translator.ts";
import { compilePlan } from "./compile.ts";
import { supportOf } from "./decide.ts";
import type { Decision, MethodPlan, Plan, Policy } from "./plan.ts";

/**
 * What is done to calls, the least first. Each class includes those before it.
 * - `none`: relayed as they are, or refused before anything is sent.
 * - `head`: one field of the first message is read while the rest streams.
 * - `scan`: each message of the request is looked at while it streams; none is held.
 * - `some`: the first message tells which calls are opened; the others are relayed.
 * - `opened`: messages are held whole.
 * - `reads`: the bridge also reads the Action and what it names from the upstream before it runs.
 */
export type CostClass = "none" | "head" | "scan" | "some" | "opened" | "reads";

const CLASSES: readonly CostClass[] = ["none", "head", "scan", "some", "opened", "reads"];

/** What each class is, in a few words for people. */
export const COST_TEXTS: Readonly<Record<CostClass, string>> = {
  none: "calls are relayed as they are, or refused at once",
  head: "one field of the first message is read, the rest streams",
  scan: "each message of the request is looked at while it streams",
  some: "calls that need it are opened, as their first message tells; the others are relayed",
  opened: "messages are held whole",
  reads: "the Action and what it names are read before it runs",
};

/** The dearest that a plan does to any method. The answer to GetCapabilities does not count: it is asked for once. */
export function costOf({ methods, content, checks }: Plan): CostClass {
  if (checks.length > 0 || content.some(({ action, directory }) => action ?? directory)) {
    return "reads";
  }
  const costs = [...methods]
    .filter(([path]) => path !== GET_CAPABILITIES)
    .map(([, plan]) => costOfMethod(plan));
  return CLASSES.findLast((one) => costs.includes(one)) ?? "none";
}

/** What is done to the calls of one method. */
export function costOfMethod({ lane, heads, scans, uses, opens }: MethodPlan): CostClass {
  if (lane === "reject") return "none";
  if (lane !== "relay") return opens === null ? "opened" : "some";
  return scans.length > 0 || uses !== null ? "scan" : heads.length > 0 ? "head" : "none";
}

/** The plan in which one form of one feature is all that its writer ever writes: what a decision does by itself. */
export function planOf(
  { direction, from }: Decision,
  translator: Translator,
  { pair }: Plan,
  policy: Policy,
): Plan {
  const { id } = translator.feature;
  const writes = (support: Support, forms: readonly string[]) => ({ [id]: { ...support, writes: forms } });
  const client = supportOf(translator, pair.client);
  const server = supportOf(translator, pair.server);
  const isRequest = direction === "toServer";
  return compilePlan(
    {
      ...pair,
      client: { ...pair.client, features: writes(client, isRequest ? [from] : []) },
      server: { ...pair.server, features: writes(server, isRequest ? [] : [from]), missingMethods: [] },
    },
    policy,
    [translator],
  );
}
