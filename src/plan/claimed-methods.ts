/** Which methods some plan may do something about. */
import { OF_ENGINES } from "../actions/engine.ts";
import { allMethods } from "../spec/methods.ts";
import { stepsOf } from "../translators/check-registry.ts";
import { EXECUTE, GET_CAPABILITIES } from "../translators/methods.ts";
import type { Reject, Translator } from "../translators/translator.ts";

/** Paths of the methods that hooks, refusals or answers of these translators may concern; calls of all others pass in every plan. */
export function claimedMethods(translators: readonly Translator[]): ReadonlySet<string> {
  const claimed = new Set([GET_CAPABILITIES]);
  const add = (paths: Iterable<string>): void => {
    for (const path of paths) claimed.add(path);
  };
  const addUses = ({ uses }: Reject): void => {
    for (const use of uses) add("methods" in use ? use.methods : [EXECUTE]);
  };
  for (const { toServer, toClient } of translators) {
    for (const step of [...stepsOf(toServer), ...stepsOf(toClient)]) {
      if (step.kind === "reject") addUses(step);
      if (step.kind !== "translate") continue;
      add(Object.keys(step.methods ?? {}));
      if (step.content !== undefined || step.operations !== undefined) add(OF_ENGINES);
      if (step.refuse !== undefined) addUses(step.refuse);
    }
  }
  // A server may lack any method.
  for (const { path } of allMethods()) claimed.add(path);
  return claimed;
}
