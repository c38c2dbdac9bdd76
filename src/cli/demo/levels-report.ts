/** What the demo tells of a client and a server of two levels. */
import { columns, type Paper, type Style, styled, wrapped } from "../paper.ts";
import type { StepOutcome, TakenStep } from "./across-levels.ts";
import type { LevelPair } from "./level-steps.ts";
import { isAsPredicted, planBetween, translatedIn } from "./prediction.ts";

const DIRECTLY: Readonly<Record<StepOutcome["verdict"], string>> = {
  passed: "passes",
  refused: "refused",
  failed: "fails",
  lost: "LOST",
};

const HEADER = ["  what the client does", "directly", "through the bridge", ""];

/** A line for each step; below, what got lost and failed without the bridge, and what the bridge said where it refused. */
export function stepsText(steps: readonly TakenStep[], paper: Paper): string {
  const [head, ...lines] = columns([HEADER, ...steps.map(cellsOf)]);
  const table = lines.map((line, i) => `${styled(line, styleOf(steps[i]!), paper)}\n`);
  const of = (verdict: StepOutcome["verdict"]) =>
    steps.filter(({ directly }) => directly.verdict === verdict);
  const parts = [
    `${styled(head!, "dim", paper)}\n${table.join("")}`,
    ...(of("lost").length > 0
      ? [wrapped("  LOST: ", "the action ran, its result is a success, and outputs are not in it.", paper)]
      : []),
    ...said("  Without the bridge, the server says where it fails", of("failed"), "directly", paper),
    ...said(
      "  What the bridge says where it refuses",
      steps.filter(({ bridged }) => bridged.verdict === "refused"),
      "bridged",
      paper,
    ),
  ];
  return parts.join("\n");
}

function cellsOf(step: TakenStep): string[] {
  const { title, directly, bridged, predicted } = step;
  const through = isAsPredicted(step) ? gained(step) : `${bridged.verdict.toUpperCase()}, NOT AS PLANNED`;
  const named = through === "passes" ? "" : (bridged.feature ?? predicted.feature ?? "");
  return [`  ${title}`, DIRECTLY[directly.verdict], through, named];
}

/** What the bridge made of it. Where a step passes directly as well, there was nothing to do. */
function gained({ directly, bridged }: TakenStep): string {
  if (bridged.verdict === "refused") return "refused";
  return directly.verdict === "passed" ? "passes" : "translated";
}

function styleOf(step: TakenStep): Style {
  if (!isAsPredicted(step)) return "red";
  const gain = gained(step);
  return gain === "translated" ? "green" : gain === "refused" ? "yellow" : "dim";
}

function said(
  label: string,
  steps: readonly TakenStep[],
  way: "directly" | "bridged",
  paper: Paper,
): string[] {
  if (steps.length === 0) return [];
  const texts = new Map(steps.map((step) => [step[way].text, step[way].feature ?? step.title]));
  const lines = [...texts].map(([text, about]) => wrapped("    ", `${about}: ${shortened(text)}`, paper));
  return [`${label}\n${lines.join("")}`];
}

/** Without the middle of identifiers and hashes, which tells nobody anything. */
function shortened(text: string): string {
  return text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{40,}/g, (digits) => `${digits.slice(0, 8)}…`);
}

/** One line for each step that did not become what the plan said. */
export function surprises(steps: readonly TakenStep[], { client, server }: LevelPair): string[] {
  return steps
    .filter((step) => !isAsPredicted(step))
    .map(({ title, bridged, predicted }) => {
      const planned = predicted.feature === null ? "" : ` (${predicted.feature})`;
      return `of a client of ${client} at a server of ${server}, ${title} was ${bridged.verdict} and not what the plan says, ${predicted.verdict}${planned}: ${bridged.text}`;
    });
}

/** What else of the plan is translated, should calls have it; empty if nothing is. */
export function alsoText({ client, server }: LevelPair, steps: readonly TakenStep[], paper: Paper): string {
  const shown = steps
    .filter((step) => gained(step) === "translated")
    .map(({ predicted }) => predicted.feature);
  const others = translatedIn(planBetween(client, server)).filter((feature) => !shown.includes(feature));
  if (others.length === 0) return "";
  return wrapped("  ", `Translated as well, where a call has it: ${others.join(", ")}.`, paper);
}
