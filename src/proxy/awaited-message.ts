import { eventTime } from "../http2/current-read.ts";
import { type Field, listSize } from "../http2/hpack/field.ts";
import type { Stream, StreamSink } from "../http2/stream.ts";
import type { FirstMessage } from "../translators/translator.ts";
import { Status } from "../wire/status.ts";
import type { Core } from "./core.ts";
import { firstMessage } from "./first-message.ts";
import { endCall } from "./local-reply.ts";
import { budgetSpent } from "./messages/call-error.ts";
import { timeoutOf, withTimeout } from "./request-head.ts";

/** What becomes of a call whose first message shows; each gives its stream another sink. */
export interface Awaiting {
  /** The way of the call; `bare` says that the request was over with its head. */
  start(first: FirstMessage | null, head: readonly Field[], bare: boolean): void;
  /** Too little came with the first piece: more has to be kept. */
  hold(head: readonly Field[]): void;
}

/** Of a request that is over with its head. */
const NO_MESSAGE: FirstMessage = { bytes: Buffer.alloc(0), whole: true, length: 0 };

/** Milliseconds after which the call's time is counted anew. */
const SOON = 1;

/**
 * A call whose way its first message tells. Nearly always that comes in one piece with or right behind the head, and is handed on as it lies there.
 */
export class AwaitedMessage implements StreamSink {
  private readonly core: Core;
  private readonly stream: Stream;
  private readonly path: string;
  private readonly awaiting: Awaiting;
  private readonly head: readonly Field[];
  private readonly headBytes: number;
  private readonly began = eventTime();

  private constructor(
    core: Core,
    stream: Stream,
    path: string,
    fields: readonly Field[],
    awaiting: Awaiting,
  ) {
    this.core = core;
    this.stream = stream;
    this.path = path;
    this.awaiting = awaiting;
    for (const field of fields) field.retain();
    this.head = fields.slice();
    this.headBytes = listSize(fields);
  }

  /** Waits for the first message of the call on `stream`, whose head is `fields`; ends it where there is no memory for that. */
  static of(
    core: Core,
    stream: Stream,
    path: string,
    fields: readonly Field[],
    fin: boolean,
    awaiting: Awaiting,
  ): void {
    if (fin) return awaiting.start(NO_MESSAGE, fields, true);
    if (!core.budget.chargeHead(listSize(fields))) {
      const { ending } = budgetSpent(core.budget.limit);
      core.refused(path, ending.code, ending.message);
      core.metrics.callEnded(path, "reject", ending.code, 0);
      return endCall(stream, ending, false);
    }
    stream.sink = new AwaitedMessage(core, stream, path, fields, awaiting);
  }

  headers(fields: readonly Field[], kind: number, fin: boolean): void {
    this.release();
    this.awaiting.hold(this.headLeft());
    this.stream.sink.headers(fields, kind, fin);
  }

  data(buffer: Buffer, start: number, end: number, fin: boolean): number {
    this.release();
    const first = firstMessage([{ buffer, start, end }], fin);
    if (first === "more") this.awaiting.hold(this.headLeft());
    else this.awaiting.start(first, this.headLeft(), false);
    return this.stream.sink.data(buffer, start, end, fin);
  }

  reset(): void {
    this.release();
    this.core.metrics.callEnded(this.path, "relay", Status.CANCELLED, 0);
  }

  drained(): void {
    // Nothing is sent from here.
  }

  /** The head, with what is left of the call's time. */
  private headLeft(): readonly Field[] {
    const waited = performance.now() - this.began;
    const timeout = waited < SOON ? null : timeoutOf(this.head);
    return timeout === null ? this.head : withTimeout(this.head, timeout - waited);
  }

  private release(): void {
    this.core.budget.charge(-this.headBytes);
  }
}
