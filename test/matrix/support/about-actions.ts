/** What tells runs of actions from one another, as far as clients and plans go. */
import type { Manner } from "../../../src/client/manner.ts";
import { sampleOf } from "../../../src/client/samples.ts";
import type { Decision, Plan } from "../../../src/plan/plan.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import type { Reject, Step } from "../../../src/translators/translator.ts";
import { ALL_SHAPES } from "./all-shapes.ts";

/** What is decided of Actions, Commands, input trees and results, where anything is: a line each. */
export function decidedOfActions({ decisions }: Plan): string[] {
  return decisions
    .filter((decision) => {
      const step = stepOf(decision);
      return step !== null && isAboutActions(step);
    })
    .map(({ feature, direction, from, to, verdict }) => [feature, direction, from, to, verdict].join(" "));
}

/** What a client writes, reads and expects of actions. */
export function mannerOfActions(manner: Manner): unknown {
  const { outputs, platform, programsFrom, outputsFrom, nodeProperties, directoryFormat, reads, looksUp } =
    manner;
  const expected = ALL_SHAPES.map((shape) => sampleOf(shape).expectedBy(manner));
  return [
    { outputs, platform, programsFrom, outputsFrom, nodeProperties, directoryFormat, reads, looksUp },
    expected,
  ];
}

function stepOf({ feature, direction, from, to, verdict }: Decision): Step | null {
  if (verdict !== "translate" && verdict !== "reject") return null;
  const steps = TRANSLATORS.find((translator) => translator.feature.id === feature)![direction];
  return steps.kind === "pass"
    ? null
    : ((steps as Exclude<typeof steps, { kind: "pass" }>)[from]?.[to] ?? null);
}

function isAboutActions(step: Step): boolean {
  if (step.kind === "pass") return false;
  if (step.kind === "reject") return isOfContent(step);
  const { content, refuse, optIn } = step;
  return (
    [refuse, optIn].some((other) => typeof other === "object" && isOfContent(other)) || content !== undefined
  );
}

function isOfContent({ uses }: Reject): boolean {
  return uses.some(({ in: place }) => place === "action" || place === "directory");
}
