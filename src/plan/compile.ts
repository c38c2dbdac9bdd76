/** From two dialects and a policy to a plan: the only place that decides how calls travel. */

import { createHash } from "node:crypto";
import { engineCalls } from "../actions/engine.ts";
import { Memory } from "../actions/memory.ts";
import { bindStep } from "../actions/transform.ts";
import type { BridgeError } from "../spec/bridge-error.ts";
import { methodAt } from "../spec/methods.ts";
import { EXECUTE, GET_CAPABILITIES, WAIT_EXECUTION } from "../translators/methods.ts";
import { refusalOf } from "../translators/refusal.ts";
import type {
  OperationManner,
  Pair,
  Reject,
  Step,
  Translate,
  Translator,
  Use,
} from "../translators/translator.ts";
import { findUse } from "../translators/uses.ts";
import { type Decided, decide, supportOf } from "./decide.ts";
import { MethodBuilder } from "./method-builder.ts";
import type { Decision, FeaturePolicy, Plan, Policy } from "./plan.ts";

/** What is said of a method that the server is known to lack. */
const LACKING: Reject = {
  kind: "reject",
  code: "method-unsupported",
  has: "does not have it",
  fix: "turn off what calls it in the client, or use an upstream that has it",
  uses: [],
};

/**
 * The plan for a pair: pure, and the same for equal input. `translators` are in the order of running (`inOrder`); where both dialects agree
 * on everything no method is in it, so every call is relayed untouched. What engines remember lies in `memory`.
 */
export function compilePlan(
  pair: Pair,
  policy: Policy,
  translators: readonly Translator[],
  memory: Memory = new Memory(),
): Plan {
  const compiler = new Compiler(pair, policy, memory);
  for (const translator of translators) {
    const wanted = policy[translator.feature.id] ?? "auto";
    compiler.add(translator, decide(translator, pair, wanted), wanted);
  }
  for (const path of pair.server.missingMethods) {
    const owner = ownerOf(path, translators);
    if (owner !== undefined && policy[owner.feature.id] !== "off") compiler.lacks(path, owner);
  }
  return compiler.plan();
}

/** The feature that answers for a method; none for methods of vendors, which pass. */
function ownerOf(path: string, translators: readonly Translator[]): Translator | undefined {
  const element = methodAt(path)?.element;
  return element && translators.find(({ owns }) => owns.includes(element));
}

class Compiler {
  private readonly pair: Pair;
  private readonly methods = new Map<string, MethodBuilder>();
  private readonly content: Plan["content"][number][] = [];
  private readonly checks: Plan["checks"][number][] = [];
  private readonly lenses: Plan["lenses"][number][] = [];
  private readonly metadata: Plan["metadata"][number][] = [];
  private readonly decisions: Decision[] = [];
  private readonly policy: Policy;
  private readonly memory: Memory;
  private manner: OperationManner = {};
  /** Features that the engine is there for. */
  private readonly ofEngine = new Set<string>();

  constructor(pair: Pair, policy: Policy, memory: Memory) {
    this.pair = pair;
    this.policy = policy;
    this.memory = memory;
  }

  add(translator: Translator, decided: readonly Decided[], policy: FeaturePolicy): void {
    const steps = new Map<Step, string>();
    for (const { decision, step } of decided) {
      this.decisions.push(decision);
      if (step !== null && !steps.has(step)) steps.set(step, decision.from);
    }
    for (const [step, from] of steps) {
      if (step.kind === "translate") this.translate(translator, step, from);
      else if (step.kind === "reject") this.reject(translator, step, from);
    }
    const agree = decided.every(({ decision }) => decision.verdict === "native");
    const announces = !agree || translator.announceIf?.(this.pair) === true;
    if (announces && policy !== "off") this.announce(translator, policy === "require");
  }

  /** Refuses a method that the server lacks, unless somebody serves it. */
  lacks(path: string, owner: Translator): void {
    const method = this.method(path);
    const { element } = methodAt(path)!;
    const what = `The method ${path.slice(path.lastIndexOf("/") + 1)}`;
    const { client } = this.pair;
    const [from = ""] = supportOf(owner, client).writes;
    const refusal = () => refusalOf(owner, LACKING, from, { what, element, text: null }, this.pair);
    const polled = path === WAIT_EXECUTION && this.manner.polls === true;
    if (!polled && !method.served) method.reject(owner.feature.id, refusal);
  }

  plan(): Plan {
    const steps = this.content.map((hooks) => bindStep(hooks, this.pair));
    const { checks, manner, memory } = this;
    const aliases = this.policy["action-keys"] === "require";
    const parts = { steps, checks, manner, plan: this.name(), memory, aliases };
    for (const [path, engine] of engineCalls(parts)) this.method(path).serveBy(engine, this.ofEngine);
    const methods = new Map([...this.methods].map(([path, builder]) => [path, builder.build()]));
    const { pair, content, lenses, metadata, decisions } = this;
    return Object.freeze({ pair, methods, content, checks, lenses, metadata, decisions });
  }

  /** Short, and the same in every replica that does the same for such a pair. */
  private name(): string {
    const decided = this.decisions.map(({ feature, direction, from, to, verdict }) => [
      feature,
      direction,
      from,
      to,
      verdict,
    ]);
    const { client, server } = this.pair;
    const text = JSON.stringify([decided, client.facts, server.facts, this.pair.window]);
    return createHash("sha256").update(text).digest("base64url").slice(0, 12);
  }

  private translate(translator: Translator, step: Translate, from: string): void {
    const { id } = translator.feature;
    for (const [path, hooks] of Object.entries(step.methods ?? {})) this.method(path).hook(id, hooks);
    const { content, metadata, operations } = step;
    if (metadata !== undefined) {
      const { name, rewrite } = metadata;
      this.metadata.push({ name, rewrite: (values) => rewrite(values, this.pair) });
    }
    if (content !== undefined) {
      this.content.push(content);
    }
    if (content !== undefined || operations !== undefined) this.ofEngine.add(id);
    const manner = typeof operations === "function" ? operations(this.pair) : operations;
    this.manner = { ...this.manner, ...manner };
    if (step.refuse !== undefined) this.reject(translator, step.refuse, from);
  }

  private reject(translator: Translator, step: Reject, from: string): void {
    const { id } = translator.feature;
    for (const use of step.uses) {
      const refusal = () => refusalOf(translator, step, from, use.used, this.pair);
      const refuse = (): never => {
        throw refusal();
      };
      switch (use.in) {
        case "call":
          for (const path of use.methods) this.method(path).reject(id, refusal);
          break;
        case "request":
          for (const path of use.methods) this.method(path).refuse(id, { ...use.used, refuse });
          break;
        case "response": {
          const response = (message: Buffer) => (findUse(message, [use.used]) === null ? null : refuse());
          for (const path of use.methods) this.method(path).hook(id, { response });
          break;
        }
        default:
          this.check(use, refusal);
          this.method(EXECUTE).open(id);
      }
    }
  }

  private check(use: Extract<Use, { in: "action" | "directory" }>, refusal: () => BridgeError): void {
    if (use.in === "action") {
      const found = (action: Buffer, command: Buffer) => use.used.found(action, command, this.pair);
      this.checks.push({ in: use.in, found, refusal });
    } else this.checks.push({ in: use.in, found: (bytes) => findUse(bytes, [use.used]) !== null, refusal });
  }

  private announce(translator: Translator, required: boolean): void {
    if (translator.announce === undefined) return;
    const { pair } = this;
    const client = supportOf(translator, pair.client);
    const server = supportOf(translator, pair.server);
    this.lenses.push((bytes) => translator.announce!({ bytes, client, server, pair, required }));
    this.method(GET_CAPABILITIES).answerLocally(translator.feature.id);
  }

  private method(path: string): MethodBuilder {
    let builder = this.methods.get(path);
    if (builder === undefined) {
      builder = new MethodBuilder(this.pair);
      this.methods.set(path, builder);
    }
    return builder;
  }
}
