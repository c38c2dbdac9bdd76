/** What the plan between two levels says of a step before it is taken: what `explain` prints of them. */
import { levelServer } from "../../peers/server-dialect.ts";
import type { Decision, Plan } from "../../plan/plan.ts";
import { Planner } from "../../plan/planner.ts";
import type { Level } from "../../spec/versions.ts";
import { TRANSLATORS } from "../../translators/registry.ts";
import { resolveDialect } from "../../translators/resolve-dialect.ts";
import type { TakenStep } from "./across-levels.ts";

/** A form of a feature, written by the client (`toServer`) or by the server. */
export type UsedForm = Pick<Decision, "feature" | "direction"> & { readonly form: string };

/** What has to become of a step through the bridge, and the feature in question; null where it uses none in which peers differ. */
export interface Prediction {
  readonly verdict: "passes" | "translated" | "refused";
  readonly feature: string | null;
}

/** The plan for a client and a server that do as their levels say. */
export function planBetween(client: Level, server: Level): Plan {
  return new Planner(TRANSLATORS, {}).plan(client, resolveDialect(levelServer(server), TRANSLATORS));
}

/** What the plan says of a form. @throws RangeError for one that neither of the two writes. */
export function predict({ decisions }: Plan, used: UsedForm | null): Prediction {
  if (used === null) return { verdict: "passes", feature: null };
  const { feature, direction, form } = used;
  const decision = decisions.find(
    (made) => made.feature === feature && made.direction === direction && made.from === form,
  );
  if (decision === undefined) throw new RangeError(`the plan has no ${feature} with the form ${form}`);
  const { verdict } = decision;
  if (verdict === "reject") return { verdict: "refused", feature };
  return { verdict: verdict === "translate" ? "translated" : "passes", feature };
}

/** The features that the plan translates where calls have them, by name. */
export function translatedIn({ decisions }: Plan): string[] {
  const features = decisions.filter(({ verdict }) => verdict === "translate").map(({ feature }) => feature);
  return [...new Set(features)].sort();
}

/** Whether the step became what the plan said. What gets lost never does. */
export function isAsPredicted({ bridged, predicted }: TakenStep): boolean {
  if (predicted.verdict !== "refused") return bridged.verdict === "passed";
  return bridged.verdict === "refused" && bridged.feature === predicted.feature;
}
