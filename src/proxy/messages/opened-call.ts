import type { Budget } from "../../http2/budget.ts";
import { type Field, listSize } from "../../http2/hpack/field.ts";
import type { Stream } from "../../http2/stream.ts";
import type { Lane } from "../../observe/call-table.ts";
import type { Log } from "../../observe/log.ts";
import type { ActionCounters } from "../../observe/metrics.ts";
import { Status } from "../../wire/status.ts";
import type { Core } from "../core.ts";
import type { Links } from "../links.ts";
import { endCall, responseHead, trailerFields } from "../local-reply.ts";
import { timeoutOf } from "../request-head.ts";
import type { UpstreamTarget } from "../upstream-target.ts";
import { budgetSpent, CallError, toCallError } from "./call-error.ts";
import { MessageStream } from "./message-stream.ts";
import { type Caller, OwnCall } from "./own-call.ts";
import { metadataOf } from "./request-fields.ts";

/** Serves one call. Returning ends it with OK; what it throws ends it as `toCallError` says. */
export type CallHandler = (call: OpenedCall) => Promise<void>;

/** A call whose messages are opened: the client's side of the translate, local and reject lanes. */
export class OpenedCall {
  /** The method, `/package.Service/Method`. */
  readonly method: string;
  /** The client's metadata, deadline and cancellation: what calls made for it carry. */
  readonly caller: Caller;
  private readonly core: Core;
  private readonly links: Links;
  private readonly upstream: UpstreamTarget;
  private readonly client: Stream;
  private readonly lane: Lane;
  private readonly stream: MessageStream;
  private readonly cancelling = new AbortController();
  private readonly started = performance.now();
  private readonly trailers: Field[] = [];
  /** What the head, which is kept for calls of the bridge's own, is charged to the budget. */
  private headBytes: number;
  private timer: NodeJS.Timeout | null = null;
  private headSent = false;
  private over = false;

  /** `fields` is the request's head; `links` are the client's, and `upstream` is where its calls go. */
  constructor(
    core: Core,
    links: Links,
    upstream: UpstreamTarget,
    client: Stream,
    lane: Lane,
    method: string,
    fields: readonly Field[],
    fin: boolean,
  ) {
    this.core = core;
    this.links = links;
    this.upstream = upstream;
    this.client = client;
    this.lane = lane;
    this.method = method;
    for (const field of fields) field.retain();
    this.headBytes = listSize(fields);
    const timeout = timeoutOf(fields);
    const deadline = timeout === null ? null : this.started + timeout;
    this.caller = { metadata: metadataOf(fields), deadline, cancelled: this.cancelling.signal };
    this.stream = new MessageStream(core.budget, core.config.limits.maxMessageBytes, {
      head() {},
      ended() {},
      reset: () => this.finish(Status.CANCELLED),
      unreadable: (error) => this.end(error),
    });
    this.stream.useHead(fields);
    this.stream.attach(client);
    if (fin) this.stream.finished();
    if (timeout !== null) this.timer = setTimeout(() => this.expired(), Math.min(timeout, 0x7fff_ffff));
    if (core.budget.chargeHead(this.headBytes)) return;
    this.headBytes = 0;
    this.end(budgetSpent(core.budget.limit));
  }

  /** What the call holds is charged to it. */
  get budget(): Budget {
    return this.core.budget;
  }

  /** Bytes of the largest message that is opened. */
  get maxMessageBytes(): number {
    return this.core.config.limits.maxMessageBytes;
  }

  /** Where its calls go, for people and as a key. */
  get upstreamName(): string {
    return this.upstream.display;
  }

  /** Adds to a counter of what is done about actions. */
  count(what: keyof ActionCounters, by: number): void {
    this.core.metrics.actions[what] += by;
  }

  get log(): Log {
    return this.core.log;
  }

  /** Lets `handler` serve the call. */
  async run(handler: CallHandler): Promise<void> {
    if (this.over) return;
    try {
      await handler(this);
      this.succeed();
    } catch (error) {
      this.end(toCallError(error, this.core.log, this.method));
    }
  }

  /** The client's messages, inflated, in order. */
  requests(): AsyncGenerator<Buffer, void, void> {
    return this.stream.messages();
  }

  /** The only message of a unary request. Throws INTERNAL if there is none or more than one. */
  async request(): Promise<Buffer> {
    const first = await this.stream.take();
    if (first === null) throw new CallError(Status.INTERNAL, "the request has no message");
    if ((await this.stream.take()) !== null)
      throw new CallError(Status.INTERNAL, "the request has more than one message");
    return first;
  }

  /** Sends the response's head with `fields` as metadata. Implied by the first response. */
  head(fields: readonly Field[]): void {
    if (this.headSent || this.over) return;
    this.headSent = true;
    this.client.sendHeaders([...responseHead(), ...fields], false);
  }

  /** Sends a response message, given as slices the caller leaves alone; resolves when it is time for the next. */
  async respond(message: readonly Buffer[]): Promise<void> {
    if (this.over) return;
    this.head([]);
    await this.stream.write(message);
  }

  /** Adds metadata to the end of a call that succeeds. */
  addTrailers(fields: readonly Field[]): void {
    this.trailers.push(...fields);
  }

  /**
   * A call on this client's behalf, to its upstream or to another. `resourceName` is that of a ByteStream call, for the routing
   * header.
   */
  call(path: string, resourceName?: string, upstream: UpstreamTarget = this.upstream): OwnCall {
    return new OwnCall(this.core, this.links.own(upstream), path, this.caller, resourceName);
  }

  private succeed(): void {
    if (this.over) return;
    this.head([]);
    this.client.sendHeaders([...trailerFields({ code: Status.OK, message: "" }), ...this.trailers], true);
    this.finish(Status.OK);
  }

  private end(error: CallError): void {
    if (this.over) return;
    if (!error.passedOn) this.core.refused(this.method, error.code, error.message);
    endCall(this.client, error.ending, this.headSent, error.metadata);
    this.finish(error.code);
  }

  private expired(): void {
    this.end(new CallError(Status.DEADLINE_EXCEEDED, "the call's deadline passed in the bridge"));
  }

  private finish(code: number): void {
    if (this.over) return;
    this.over = true;
    if (this.timer !== null) clearTimeout(this.timer);
    // Without a reason, it would be an error with a stack, for each call.
    this.cancelling.abort(null);
    this.stream.close();
    this.core.budget.charge(-this.headBytes);
    this.core.metrics.callEnded(this.method, this.lane, code, (performance.now() - this.started) / 1000);
  }
}
