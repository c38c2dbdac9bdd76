/** From two dialects and a policy to a plan: the only place that decides how calls travel. */

import { ActionCheck } from "../actions/action-check.ts";
import { editResult, noteAction, type ResultHook, WITH_RESULTS } from "../actions/result-edit.ts";
import type { BridgeError } from "../spec/bridge-error.ts";
import { methodAt } from "../spec/methods.ts";
import {
  CANCEL_OPERATION,
  DELETE_OPERATION,
  EXECUTE,
  GET_CAPABILITIES,
  LIST_OPERATIONS,
} from "../translators/methods.ts";
import { refusalOf } from "../translators/refusal.ts";
import type { Pair, Reject, Step, Translate, Translator, Use } from "../translators/translator.ts";
import { findUse } from "../translators/uses.ts";
import { type Decided, decide, supportOf } from "./decide.ts";
import { MethodBuilder } from "./method-builder.ts";
import type { Decision, FeaturePolicy, Plan, Policy } from "./plan.ts";

/** Methods that name an Action, or an operation that stands for one: where another Action runs, the names change. */
const WITH_ACTIONS = [...WITH_RESULTS, LIST_OPERATIONS, CANCEL_OPERATION, DELETE_OPERATION];

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
 * on everything no method is in it, so every call is relayed untouched.
 */
export function compilePlan(pair: Pair, policy: Policy, translators: readonly Translator[]): Plan {
  const compiler = new Compiler(pair);
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

  constructor(pair: Pair) {
    this.pair = pair;
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
    if (announces && policy !== "off") this.announce(translator);
  }

  /** Refuses a method that the server lacks, unless somebody serves it. */
  lacks(path: string, owner: Translator): void {
    const method = this.method(path);
    const { element } = methodAt(path)!;
    const what = `The method ${path.slice(path.lastIndexOf("/") + 1)}`;
    const { client } = this.pair;
    const [from = ""] = supportOf(owner, client).writes;
    const refusal = () => refusalOf(owner, LACKING, from, { what, element, text: null }, this.pair);
    if (!method.served) method.reject(owner.feature.id, refusal);
  }

  plan(): Plan {
    this.editResults();
    if (this.checks.length > 0) {
      const check = new ActionCheck(this.checks);
      this.method(EXECUTE).check((message, call) => check.run(message, call).then(() => null));
    }
    const methods = new Map([...this.methods].map(([path, builder]) => [path, builder.build()]));
    const { pair, content, checks, lenses, metadata, decisions } = this;
    return Object.freeze({ pair, methods, content, checks, lenses, metadata, decisions });
  }

  /** Hooks of results run in reverse, as all that edits what comes back. */
  private editResults(): void {
    const hooks = this.content.flatMap(({ result }) => result ?? []).reverse();
    if (hooks.length === 0) return;
    const bound = hooks.map(
      (hook): ResultHook =>
        (result, originals) =>
          hook(result, originals, this.pair),
    );
    for (const path of WITH_RESULTS) {
      this.method(path).results(noteAction, (message, call) => editResult(message, call, bound));
    }
  }

  private translate(translator: Translator, step: Translate, from: string): void {
    const { id } = translator.feature;
    for (const [path, hooks] of Object.entries(step.methods ?? {})) this.method(path).hook(id, hooks);
    const { content, metadata } = step;
    if (metadata !== undefined) {
      const { name, rewrite } = metadata;
      this.metadata.push({ name, rewrite: (values) => rewrite(values, this.pair) });
    }
    if (content !== undefined) {
      this.content.push(content);
      const { action, directory } = content;
      const changesActions = (action ?? directory) !== undefined;
      for (const path of changesActions ? WITH_ACTIONS : WITH_RESULTS) this.method(path).open(id);
    }
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
    if (use.in === "action") this.checks.push({ in: use.in, found: use.used.found, refusal });
    else this.checks.push({ in: use.in, found: (bytes) => findUse(bytes, [use.used]) !== null, refusal });
  }

  private announce(translator: Translator): void {
    if (translator.announce === undefined) return;
    const { pair } = this;
    const client = supportOf(translator, pair.client);
    const server = supportOf(translator, pair.server);
    this.lenses.push((bytes) => translator.announce!({ bytes, client, server, pair }));
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
