/** What happens to each form that one side writes, and whether it matters. */

import { CLIENT_FACTS } from "../peers/client-facts.ts";
import type { Evidence } from "../peers/dialect.ts";
import type { Role } from "../peers/profile.ts";
import { PROFILE_FEATURES } from "../peers/profile-features.ts";
import { SERVER_FACTS } from "../peers/server-facts.ts";
import { EXECUTE } from "../translators/methods.ts";
import type { Use as Place, Reject, Step, Translator } from "../translators/translator.ts";
import { needOf } from "./client-needs.ts";
import { type CostClass, costOf, planOf } from "./cost.ts";
import type { KnownClient } from "./known-client.ts";
import type { Decision, Plan } from "./plan.ts";
import type { Planner } from "./planner.ts";

/**
 * How a client comes to write a form:
 * - `always`: all that it has of the feature is in this form.
 * - `partly`: it has another form as well, which gets through.
 * - `optional`: only with methods that it can do without.
 * - `if-announced`: only where the server announces it, which it does not.
 * - `never`: it does not call the methods, always adds a form that gets through, or nobody is known to use what is refused.
 */
export type Use = "always" | "partly" | "optional" | "if-announced" | "never";

/** What happens to one form. */
export interface Row extends Decision {
  readonly title: string;
  /** Items of the catalogue of differences. */
  readonly drift: readonly string[];
  readonly use: Use;
  readonly cost: CostClass;
  /** What exactly is refused, and what to change; null where nothing is. */
  readonly refused: { readonly what: readonly string[]; readonly fix: string } | null;
  /** The keys of profiles that would tell for sure; empty where more than a supposition tells already. */
  readonly settledBy: readonly string[];
}

/** Verdicts that lead to no step. */
const NOTHING: readonly Decision["verdict"][] = ["native", "pass"];

/** A row for each decision, in the order of the plan's. */
export function explainRows(client: KnownClient, plan: Plan, { translators, policy }: Planner): Row[] {
  const byId = new Map(translators.map((translator) => [translator.feature.id, translator]));
  return plan.decisions.map((decision) => {
    const translator = byId.get(decision.feature)!;
    const refusal = refusalIn(decision, translator);
    const { title, drift } = translator.feature;
    return {
      ...decision,
      title,
      drift,
      use: useOf(decision, refusal, { client, plan, translator }),
      cost: NOTHING.includes(decision.verdict) ? "none" : costOf(planOf(decision, translator, plan, policy)),
      refused: refusal && { what: [...new Set(refusal.uses.map(({ used }) => used.what))], fix: refusal.fix },
      settledBy: settledBy(decision),
    };
  });
}

/** Whether something happens to calls of this client: what is not as it would be without differences. */
export function happens({ verdict, use }: Row): boolean {
  return verdict !== "native" && use !== "never";
}

/** The refusal that a decision leads to, alone or besides a translation. */
function refusalIn(decision: Decision, translator: Translator): Reject | null {
  const { verdict } = decision;
  const step = stepOf(decision, translator);
  if (step?.kind !== "translate") return step?.kind === "reject" ? step : null;
  if (verdict === "translate") return step.refuse ?? null;
  return typeof step.optIn === "object" ? step.optIn : null;
}

/** The step that a decision took; null where nothing is done. */
function stepOf({ verdict, direction, from, to }: Decision, translator: Translator): Step | null {
  const steps = translator[direction];
  if ((verdict !== "reject" && verdict !== "translate") || steps.kind === "pass") return null;
  return (steps as Exclude<typeof steps, { kind: "pass" }>)[from]?.[to] ?? null;
}

interface Around {
  readonly client: KnownClient;
  readonly plan: Plan;
  readonly translator: Translator;
}

function useOf(decision: Decision, refusal: Reject | null, { client, plan, translator }: Around): Use {
  const { feature, direction, from, verdict } = decision;
  if (direction === "toClient") return "always";
  if (translator.feature.mistakes?.includes(from) || refusal?.unusual) return "never";
  const others = plan.decisions.filter(
    (other) => other.feature === feature && other.direction === direction && other.from !== from,
  );
  const otherServed = others.some((other) => other.verdict !== "reject");
  const isBesides = verdict === "reject" ? otherServed : others.some((other) => other.verdict === "native");
  if (verdict !== "native" && isBesides && writesTogether(client, feature)) return "never";
  const byMethods =
    refusal === null
      ? useOfHooks(stepOf(decision, translator), client)
      : useOfMethods(refusal.uses, client, plan);
  if (byMethods !== null) return byMethods;
  if (translator.owns.some((element) => ANNOUNCED.test(element))) return "if-announced";
  return verdict === "reject" && otherServed ? "partly" : "always";
}

/** Fields of these messages tell clients what they may use. */
const ANNOUNCED = /\.(Cache|Execution)Capabilities\./;

/** Whether each line that writes several forms of a feature writes all of them at once. */
function writesTogether(client: KnownClient, feature: string): boolean {
  if (typeof client === "string" || client.length === 0) return false;
  return client.every(
    ({ features }) => features[feature as keyof typeof PROFILE_FEATURES]?.together === true,
  );
}

/** Never, where a translation concerns only methods that the client does not call; else null. */
function useOfHooks(step: Step | null, client: KnownClient): Use | null {
  if (step?.kind !== "translate" || step.methods === undefined) return null;
  if (step.content !== undefined || step.operations !== undefined || step.metadata !== undefined) return null;
  const isCalled = (path: string): boolean => needOf(path, client) !== "not called";
  return Object.keys(step.methods).some(isCalled) ? null : "never";
}

/** What the client's need of the methods tells in which the use shows; null if nothing. */
function useOfMethods(uses: readonly Place[], client: KnownClient, plan: Plan): Use | null {
  const isGone = (path: string) => plan.methods.get(path)?.lane === "reject";
  const isWhole = uses.every((use) => use.in === "call");
  const paths = uses.flatMap((use) => ("methods" in use ? use.methods : [EXECUTE]));
  const needs = paths.map((path) => {
    if (isGone(path) && !isWhole) return "not called";
    const need = needOf(path, client);
    // Where nothing can be executed, methods of executions are not called.
    return need === "execution" && path !== EXECUTE && isGone(EXECUTE) ? "not called" : need;
  });
  if (needs.every((need) => need === "not called")) return "never";
  if (needs.every((need) => need === "not called" || need === "optional")) return "optional";
  if (!isWhole) return null;
  return needs.some((need) => need === "required" || need === "execution") ? "always" : "optional";
}

/** Profiles tell by forms of the feature, or else by facts that it goes by. */
function settledBy({ feature, direction, verdict, evidence }: Decision): string[] {
  if (verdict === "native") return [];
  const entry = PROFILE_FEATURES[feature as keyof typeof PROFILE_FEATURES];
  const keys = (role: Role, { source }: Evidence): string[] => {
    const isReader = (direction === "toServer") === (role === "server");
    if (entry?.of.some((one) => one === role)) {
      // Of these features, an announced version is all that an answer can tell.
      const isWeak = source === "assumed" || source === "advertised";
      return isWeak ? [`${role}: features.${feature}.${isReader ? "reads" : "writes"}`] : [];
    }
    if (source !== "assumed") return [];
    return Object.entries(role === "server" ? SERVER_FACTS : CLIENT_FACTS)
      .filter(([, { usedBy }]) => (usedBy as readonly string[]).includes(feature))
      .map(([name]) => `${role}: facts.${name}`);
  };
  return [...keys("server", evidence.server), ...keys("client", evidence.client)];
}
