/** Gathers what is done to the calls of one method. */
import type { EngineCall } from "../actions/engine.ts";
import type { BridgeError } from "../spec/bridge-error.ts";
import type { FirstMessage, MethodHooks, Pair, RequestScan } from "../translators/translator.ts";
import { type RefusedUse, UseWatch } from "../translators/uses.ts";
import type { BoundExchange, BoundHead, BoundHook, BoundWhen, Lane, MethodPlan } from "./plan.ts";

/** A method's plan in the making. Hooks are added in the order of the way to the server. */
export class MethodBuilder {
  private readonly pair: Pair;
  private readonly heads: BoundHead[] = [];
  private readonly scans: (() => RequestScan)[] = [];
  private readonly uses: RefusedUse[] = [];
  private readonly requests: BoundHook[] = [];
  private readonly responses: BoundHook[] = [];
  private readonly streams: NonNullable<MethodHooks["stream"]>[] = [];
  private readonly exchanges: BoundExchange[] = [];
  private readonly answers: NonNullable<MethodHooks["answer"]>[] = [];
  /** Which calls features open; those of which one opens all are not in it. */
  private readonly whens: BoundWhen[] = [];
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
    const { head, scan, when, request, response, stream, exchange, answer } = hooks;
    this.features.add(feature);
    const opening = [request, response, stream, exchange, answer].some((hook) => hook !== undefined);
    const bound: BoundWhen | null = when === undefined ? null : (first) => when(first, pair);
    if (opening && bound === null) this.opened = true;
    if (opening && bound !== null) this.whens.push(bound);
    if (head !== undefined)
      this.heads.push({ field: head.field, rewrite: (value) => head.rewrite(value, pair) });
    if (scan !== undefined) this.scans.push(() => scan(pair));
    if (request !== undefined) this.requests.push((message, call) => request(message, call, pair));
    if (response !== undefined) this.responses.unshift((message, call) => response(message, call, pair));
    if (stream !== undefined) this.streams.push(stream);
    if (exchange !== undefined) this.exchanges.push({ when: bound, serve: exchange });
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
    const { refusal, heads, scans, uses, requests, responses, streams, exchanges, answers, whens } = this;
    if (this.engine !== null && exchanges.length > 0) throw new Error("an engine has no exchanges around it");
    const opensAll = this.opened || this.local || this.engine !== null;
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
      exchanges,
      answers,
      opens: opensAll ? null : (first: FirstMessage) => whens.some((when) => when(first)),
      engine: this.engine,
      features,
    });
  }

  private lane(): Lane {
    if (this.refusal !== null) return "reject";
    if (this.served) return "local";
    return this.opened || this.engine !== null || this.whens.length > 0 ? "translate" : "relay";
  }
}
