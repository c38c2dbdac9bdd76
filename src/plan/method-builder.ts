/** Gathers what is done to the calls of one method. */
import type { EngineCall } from "../actions/engine.ts";
import type { BridgeError } from "../spec/bridge-error.ts";
import type { MethodHooks, Pair, RequestScan } from "../translators/translator.ts";
import { type RefusedUse, UseWatch } from "../translators/uses.ts";
import type { BoundHead, BoundHook, Lane, MethodPlan } from "./plan.ts";

/** A method's plan in the making. Hooks are added in the order of the way to the server. */
export class MethodBuilder {
  private readonly pair: Pair;
  private readonly heads: BoundHead[] = [];
  private readonly scans: (() => RequestScan)[] = [];
  private readonly uses: RefusedUse[] = [];
  private readonly requests: BoundHook[] = [];
  private readonly responses: BoundHook[] = [];
  private readonly streams: NonNullable<MethodHooks["stream"]>[] = [];
  private readonly answers: NonNullable<MethodHooks["answer"]>[] = [];
  private readonly features = new Set<string>();
  private refusal: (() => BridgeError) | null = null;
  private engine: EngineCall | null = null;
  private opened = false;
  private local = false;

  constructor(pair: Pair) {
    this.pair = pair;
  }

  hook(feature: string, hooks: MethodHooks): void {
    const { pair } = this;
    const { head, scan, request, response, stream, answer } = hooks;
    this.features.add(feature);
    if (head !== undefined)
      this.heads.push({ field: head.field, rewrite: (value) => head.rewrite(value, pair) });
    if (scan !== undefined) this.scans.push(() => scan(pair));
    if (request !== undefined) this.requests.push((message, call) => request(message, call, pair));
    if (response !== undefined) this.responses.unshift((message, call) => response(message, call, pair));
    if (stream !== undefined) this.streams.push(stream);
    if (answer !== undefined) this.answers.push(answer);
  }

  /** Refuses requests with this use. */
  refuse(feature: string, use: RefusedUse): void {
    this.features.add(feature);
    this.uses.push(use);
  }

  /** Has calls served by the engine, on behalf of these features. */
  serveBy(engine: EngineCall, features: Iterable<string>): void {
    this.engine = engine;
    for (const feature of features) this.features.add(feature);
  }

  /** The first refusal is the one callers see. */
  reject(feature: string, refusal: () => BridgeError): void {
    this.features.add(feature);
    this.refusal ??= refusal;
  }

  /** Messages have to be read for a reason that is not a hook of this method. */
  open(feature: string): void {
    this.features.add(feature);
    this.opened = true;
  }

  /** The bridge itself answers. */
  answerLocally(feature: string): void {
    this.features.add(feature);
    this.local = true;
  }

  /** Whether calls get an answer without a method of the upstream. */
  get served(): boolean {
    return this.local || this.answers.length > 0;
  }

  build(): MethodPlan {
    const { refusal, heads, scans, uses, requests, responses, streams, answers } = this;
    const features = [...this.features];
    return Object.freeze({
      lane: this.lane(),
      refusal,
      heads,
      scans,
      uses: uses.length === 0 ? null : new UseWatch(uses),
      requests,
      responses,
      streams,
      answers,
      engine: this.engine,
      features,
    });
  }

  private lane(): Lane {
    if (this.refusal !== null) return "reject";
    if (this.served) return "local";
    const hooks = this.requests.length + this.responses.length + this.streams.length;
    return this.opened || this.engine !== null || hooks > 0 ? "translate" : "relay";
  }
}
