/** Plans that were compiled before. */
import { createHash } from "node:crypto";
import { Memory } from "../actions/memory.ts";
import type { Dialect } from "../peers/dialect.ts";
import type { Pair, Translator } from "../translators/translator.ts";
import { compilePlan } from "./compile.ts";
import type { Plan, Policy } from "./plan.ts";

/** Far more pairs than one bridge meets. */
const MAX_PLANS = 256;

/** Keeps plans by what the dialects say, so that equal ones share theirs; the longest unused goes first. */
export class PlanCache {
  private readonly translators: readonly Translator[];
  private readonly policy: Policy;
  private readonly limit: number;
  private readonly memory = new Memory();
  private readonly plans = new Map<string, Plan>();

  /** `translators` in the order of running. */
  constructor(translators: readonly Translator[], policy: Policy, limit: number = MAX_PLANS) {
    this.translators = translators;
    this.policy = policy;
    this.limit = limit;
  }

  /** The plan of a pair; compiled at its first use. */
  get(pair: Pair): Plan {
    const key = `${fingerprint(pair.client)} ${fingerprint(pair.server)} ${JSON.stringify(pair.window)}`;
    const plan = this.plans.get(key) ?? compilePlan(pair, this.policy, this.translators, this.memory);
    this.plans.delete(key);
    this.plans.set(key, plan);
    if (this.plans.size > this.limit) this.plans.delete(this.plans.keys().next().value!);
    return plan;
  }
}

const fingerprints = new WeakMap<Dialect, string>();

/** A hash of all a dialect says. */
function fingerprint(dialect: Dialect): string {
  let known = fingerprints.get(dialect);
  if (known === undefined) {
    const features = Object.entries(dialect.features).sort(([a], [b]) => (a < b ? -1 : 1));
    const { role, name, version, digestFunctions, missingMethods, facts } = dialect;
    const text = JSON.stringify([role, name, version, digestFunctions, missingMethods, features, facts]);
    known = createHash("sha256").update(text).digest("base64");
    fingerprints.set(dialect, known);
  }
  return known;
}
