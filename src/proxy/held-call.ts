import type { Field } from "../http2/hpack/field.ts";
import type { Stream, StreamSink } from "../http2/stream.ts";
import type { FirstMessage } from "../translators/translator.ts";
import { Status } from "../wire/status.ts";
import type { Core } from "./core.ts";
import { EarlyRequest } from "./early-request.ts";
import { firstMessage } from "./first-message.ts";
import { endCall } from "./local-reply.ts";
import { budgetSpent, CallError, toCallError } from "./messages/call-error.ts";
import { InstancePeek } from "./messages/instance-peek.ts";
import { encodingOf, timeoutOf, withTimeout } from "./request-head.ts";
import type { Wait } from "./routing/route.ts";

/** Tries to route the call again. Either starts it, which gives its stream another sink, and returns null; or returns what it has to wait for next. */
export type Retry = (held: Held) => Wait | null;

/** What is known of a call that is held. */
interface Held {
  /** The one it names; null while nobody asked. */
  readonly instance: string | null;
  /** The request's head, with what is left of the call's time. */
  readonly head: readonly Field[];
  /** Whether the request was over with its head. */
  readonly bare: boolean;
  /** What came of the first message, if that was waited for; null where it is compressed. */
  readonly first: FirstMessage | null;
}

/** A call whose way is not known yet: keeps what comes of it, bounded by the stream's window and the budget. */
export class HeldCall implements StreamSink {
  private readonly core: Core;
  private readonly stream: Stream;
  private readonly path: string;
  private readonly again: Retry;
  private readonly early: EarlyRequest | null;
  /** When the call's time is up, by `performance.now()`; null for never. */
  private readonly deadline: number | null = null;
  private readonly timer: NodeJS.Timeout | null = null;
  private peek: InstancePeek | null = null;
  /** Whether it waits for the first message, and what came of it. */
  private gathers = false;
  private first: FirstMessage | null = null;
  private instance: string | null = null;
  private fin: boolean;
  private over = false;

  /** Holds the call on `stream`, whose head is `fields`; `wait` is what it waits for. */
  constructor(
    core: Core,
    stream: Stream,
    path: string,
    fields: readonly Field[],
    fin: boolean,
    wait: Wait,
    again: Retry,
  ) {
    this.core = core;
    this.stream = stream;
    this.path = path;
    this.again = again;
    this.fin = fin;
    stream.sink = this;
    this.early = EarlyRequest.keep(stream, core.budget, fields, fin);
    if (this.early === null) {
      this.fail(budgetSpent(core.budget.limit));
      return;
    }
    const timeout = timeoutOf(fields);
    if (timeout !== null) {
      this.deadline = performance.now() + timeout;
      this.timer = setTimeout(() => this.expired(), Math.min(timeout, 0x7fff_ffff));
    }
    this.waitFor(wait);
  }

  headers(fields: readonly Field[]): void {
    if (this.over) return;
    this.fin = true;
    this.early!.addTrailers(fields);
    this.ended();
  }

  data(buffer: Buffer, start: number, end: number, fin: boolean): number {
    if (this.over) return end - start;
    this.fin = fin;
    const taken = this.early!.add(buffer, start, end, fin);
    if (this.peek !== null) this.look(buffer, start, end);
    if (this.gathers) this.gather();
    if (fin) this.ended();
    return taken;
  }

  reset(): void {
    this.finish();
    this.early?.drop();
    this.core.metrics.callEnded(this.path, "relay", Status.CANCELLED, 0);
  }

  drained(): void {
    // Nothing is sent from here.
  }

  private waitFor(wait: Wait): void {
    if (wait.for === "knowledge") {
      void wait.until.then(() => this.retry(this.instance));
      return;
    }
    if (wait.for === "message") {
      this.gathers = true;
      this.gather();
      return;
    }
    this.peek = new InstancePeek(this.path, encodingOf(this.early!.head));
    for (const { buffer, start, end } of this.early!.pieces()) {
      if (this.peek !== null) this.look(buffer, start, end);
    }
    if (this.fin) this.ended();
  }

  private look(buffer: Buffer, start: number, end: number): void {
    try {
      const instance = this.peek!.feed(buffer, start, end);
      if (instance !== null) this.found(instance);
    } catch (error) {
      this.fail(toCallError(error, this.core.log, this.path));
    }
  }

  /** A request without a message names no instance. */
  private ended(): void {
    if (this.peek !== null) this.found("");
    if (this.gathers) this.gather();
  }

  private gather(): void {
    const first = firstMessage(this.early!.pieces(), this.fin);
    if (first === "more") return;
    this.gathers = false;
    this.first = first;
    // Not within the event that brought the bytes: they are on their way to this sink.
    queueMicrotask(() => this.retry(this.instance));
  }

  private found(instance: string): void {
    this.peek = null;
    this.instance = instance;
    // Not within the event that brought the bytes: they are on their way to this sink.
    queueMicrotask(() => this.retry(instance));
  }

  private retry(instance: string | null): void {
    if (this.over) return;
    try {
      const early = this.early!;
      const wait = this.again({
        instance,
        head: this.headLeft(early.head),
        bare: early.bare,
        first: this.first,
      });
      if (wait !== null) return this.waitFor(wait);
    } catch (error) {
      return this.fail(toCallError(error, this.core.log, this.path));
    }
    this.finish();
    this.early!.handOn();
  }

  /** The head, with what is left of the call's time. */
  private headLeft(head: readonly Field[]): readonly Field[] {
    return this.deadline === null ? head : withTimeout(head, this.deadline - performance.now());
  }

  private expired(): void {
    const text = "the call's deadline passed while the bridge found out how to speak to the upstream";
    this.fail(new CallError(Status.DEADLINE_EXCEEDED, text));
  }

  private fail(error: CallError): void {
    if (this.over) return;
    this.finish();
    this.early?.drop();
    this.core.refused(this.path, error.code, error.message);
    this.core.metrics.callEnded(this.path, "reject", error.code, 0);
    endCall(this.stream, error.ending, false);
  }

  private finish(): void {
    this.over = true;
    this.peek = null;
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
