/** What happens to each form one side of a pair writes. */
import type { Dialect, Support } from "../peers/dialect.ts";
import { methodAt } from "../spec/methods.ts";
import { pass } from "../translators/declare.ts";
import { hasText } from "../translators/refusal.ts";
import type { Pair, Reject, Step, Steps, Translator } from "../translators/translator.ts";
import type { Decision, FeaturePolicy } from "./plan.ts";

/** A decision, and the step it leads to: null where both agree, or the operator wants nothing done. */
export interface Decided {
  readonly decision: Decision;
  readonly step: Step | null;
}

/** The decisions about one feature of a pair, for every form that the client or the server writes. */
export function decide(translator: Translator, pair: Pair, policy: FeaturePolicy): Decided[] {
  const client = supportOf(translator, pair.client);
  const server = supportOf(translator, pair.server);
  const evidence = { client: client.evidence, server: server.evidence };
  const direction = (name: "toServer" | "toClient", writer: Support, reader: Support): Decided[] =>
    writer.writes.map((from) => {
      const { to, step, verdict, why } =
        besides(from, writer, reader) ?? choose(translator[name], from, reader.reads, server, policy, pair);
      const { id } = translator.feature;
      return { step, decision: { feature: id, direction: name, from, to, verdict, why, evidence } };
    });
  return [...direction("toServer", client, server), ...direction("toClient", server, client)];
}

/** A peer's forms of a feature: its dialect's, or what the feature assumes. */
export function supportOf({ feature, assume }: Translator, dialect: Dialect): Support {
  return dialect.features[feature.id] ?? assume[dialect.role];
}

interface Choice {
  readonly to: string;
  readonly step: Step | null;
  readonly verdict: Decision["verdict"];
  readonly why: string;
}

/** Of a writer that uses all its forms at once, those that the reader has no use for, if it has for another. */
function besides(from: string, { together, writes }: Support, { reads }: Support): Choice | null {
  const to = writes.find((form) => reads.includes(form));
  if (together !== true || to === undefined || reads.includes(from)) return null;
  return { to, step: null, verdict: "pass", why: `the same is always written as ${to} as well` };
}

/** The way from a form to the best form the reader has that is not refused; a refusal only if there is no other. */
function choose(
  steps: Steps,
  from: string,
  reads: readonly string[],
  server: Support,
  policy: FeaturePolicy,
  pair: Pair,
): Choice {
  if (reads.includes(from)) return { to: from, step: null, verdict: "native", why: "" };
  const ways = reads.map((to) => ({ to, step: prove(stepBetween(steps, from, to), server, policy) }));
  const { to, step } = ways.find((way) => way.step.kind !== "reject") ?? ways[0]!;
  if (policy === "off")
    return { to, step: null, verdict: "off", why: "the policy says off: calls pass as they are" };
  const why =
    step.kind === "pass"
      ? step.why
      : step.kind === "reject"
        ? `the upstream ${hasText(step, pair)}`
        : (step.does ?? `${from} becomes ${to}`);
  return { to, step, verdict: step.kind, why };
}

function stepBetween(steps: Steps, from: string, to: string): Step {
  if (steps.kind === "pass") return steps as Step;
  const step = (steps as Exclude<Steps, { kind: "pass" }>)[from]?.[to];
  if (step === undefined) throw new RangeError(`there is no step from ${from} to ${to}`);
  return step;
}

/** The step as this pair and policy take it. */
function prove(step: Step, server: Support, policy: FeaturePolicy): Step {
  const { optIn } = step.kind === "translate" && policy !== "require" ? step : {};
  if (typeof optIn === "string") return pass(optIn);
  const taken = optIn ?? step;
  return taken.kind === "reject" ? proven(taken, server) : taken;
}

/**
 * A version number, or nothing at all, is no proof that a server lacks a method: it may say so itself. What it would silently ignore is
 * refused all the same, and so are methods that no revision has.
 */
function proven(step: Reject, { evidence }: Support): Step {
  if (evidence.source !== "advertised" && evidence.source !== "assumed") return step;
  const uses = step.uses.filter((use) => use.in !== "call" || !use.methods.some((path) => methodAt(path)));
  return uses.length > 0
    ? { ...step, uses }
    : pass("the upstream answers for itself whether it has the method");
}
