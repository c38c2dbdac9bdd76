import type { Connection } from "../http2/connection.ts";
import { ErrorCode, errorName } from "../http2/constants.ts";
import { eventTime } from "../http2/current-read.ts";
import { type Field, listSize } from "../http2/hpack/field.ts";
import { internName } from "../http2/hpack/name.ts";
import { HeadKind, type Stream, type StreamSink } from "../http2/stream.ts";
import { PREFIX_BYTES } from "../wire/envelope.ts";
import { Status } from "../wire/status.ts";
import type { Core } from "./core.ts";
import { EarlyRequest } from "./early-request.ts";
import { firstMessage } from "./first-message.ts";
import { type Ending, endCall } from "./local-reply.ts";
import { budgetSpent, toCallError } from "./messages/call-error.ts";
import { FilteredRequest } from "./messages/filtered-request.ts";
import type { FilterMaker, RequestObserver } from "./messages/relay-filter.ts";
import { encodingOf, timeoutOf, upstreamHead, withoutLength } from "./request-head.ts";
import type { ByMessage } from "./routing/by-message.ts";
import type { OpenedRoute } from "./routing/route.ts";
import type { UpstreamLink, WaitingCall } from "./upstream-link.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

const GRPC_STATUS = internName("grpc-status");

/** Begins calls anew that turned out not to be relayed ones. */
export interface Beginner {
  /** Gives the stream another sink. `way` is null where too little came of the first message to tell the way. */
  anew(
    way: OpenedRoute | null,
    by: ByMessage,
    upstream: UpstreamTarget,
    stream: Stream,
    path: string,
    head: readonly Field[],
  ): void;
}

/**
 * One call in the relay lane: what arrives on one side goes out on the other, undecoded, unless a filter looks at the request. This object is the
 * sink of the client's stream; a `RelayAnswer` is that of the upstream's.
 */
export class RelayCall implements StreamSink, WaitingCall {
  private readonly core: Core;
  private readonly link: UpstreamLink;
  private readonly client: Stream;
  private readonly method: string;
  private readonly started: number;
  private readonly makeFilter: FilterMaker | null;
  private readonly encoding: string;
  private upstream: Stream | null = null;
  private filtered: FilteredRequest | null = null;
  private observer: RequestObserver | null = null;
  private headSent = false;
  private ended = false;
  /** What came before there was a stream to send it on. */
  private early: EarlyRequest | null = null;
  private timer: NodeJS.Timeout | null = null;
  /** Tells by the first message whether the call is relayed at all; null when that is settled. */
  private by: ByMessage | null;
  private readonly beginner: Beginner | null;
  /** The request's head, as long as the call may begin anew, and what it is charged to the budget. */
  private head: readonly Field[] | null = null;
  private headBytes = 0;

  /** Starts the call; `fields` is the request's head as it came. With `by` it may turn out not to be a relayed one: then `beginner` gets it. */
  constructor(
    core: Core,
    link: UpstreamLink,
    client: Stream,
    method: string,
    fields: readonly Field[],
    fin: boolean,
    makeFilter: FilterMaker | null,
    by: ByMessage | null = null,
    beginner: Beginner | null = null,
  ) {
    this.by = by;
    this.beginner = beginner;
    this.core = core;
    this.link = link;
    this.client = client;
    this.method = method;
    this.started = eventTime();
    client.sink = this;
    this.makeFilter = makeFilter;
    this.encoding = makeFilter === null ? "" : encodingOf(fields);
    const connection = link.acquire(this);
    if (connection !== null) this.open(connection, fields, fin);
    else if (!this.ended) this.wait(fields, fin);
  }

  // ---- from the client ----

  headers(fields: readonly Field[]): void {
    if (this.filtered !== null) {
      for (const field of fields) field.retain();
      this.filtered.end(fields.slice());
    } else if (this.upstream !== null) {
      if (this.makeFilter === null) this.upstream.sendHeaders(fields, true);
      else this.filterEnd(this.makeFilter, this.upstream, fields);
    } else {
      this.early?.addTrailers(fields);
    }
  }

  data(buffer: Buffer, start: number, end: number, fin: boolean): number {
    if (this.filtered !== null) return this.filtered.data(buffer, start, end, fin);
    if (this.upstream !== null) {
      if (this.by !== null && this.isOther(buffer, start, end, fin))
        return this.client.sink.data(buffer, start, end, fin);
      if (this.makeFilter !== null)
        return this.filter(this.makeFilter, this.upstream, buffer, start, end, fin);
      return this.upstream.forward(buffer, start, end, fin);
    }
    return this.early === null ? end - start : this.early.add(buffer, start, end, fin);
  }

  reset(code: number, why: string | null): void {
    this.upstream?.reset(why === null ? code : ErrorCode.CANCEL);
    this.finish(Status.CANCELLED);
  }

  drained(): void {
    // Credit goes back to the other side as bytes leave.
  }

  // ---- from the link ----

  opened(connection: Connection): void {
    const early = this.takeEarly()!;
    this.open(connection, early.head, early.bare);
    early.handOn();
  }

  unavailable(why: string): void {
    this.end(Status.UNAVAILABLE, `cannot reach the upstream ${this.link.upstream.display}: ${why}`);
  }

  // ---- from the upstream ----

  answerHeaders(fields: readonly Field[], kind: number, fin: boolean): void {
    if (kind === HeadKind.FINAL) this.headSent = true;
    const { client } = this;
    const { budget } = this.core;
    // They wait behind data that the client does not take.
    if (client.pendingBytes > 0 && !budget.fitsHead(listSize(fields))) {
      this.refuse(budgetSpent(budget.limit));
      return;
    }
    client.sendHeaders(fields, fin);
    // No window holds headers back: a client that does not read would have them pile up.
    if (client.connection.overfull) this.upstream!.connection.readAfter(client.connection);
    if (fin) this.finish(statusOf(fields));
  }

  answerData(buffer: Buffer, start: number, end: number, fin: boolean): number {
    const sent = this.client.forward(buffer, start, end, fin);
    if (fin) this.finish(Status.UNKNOWN);
    return sent;
  }

  answerReset(code: number, why: string | null): void {
    const { upstream } = this.link;
    if (this.upstream!.remoteDone) {
      // The answer is complete: no more is wanted of the request, and that is no error even if the connection is lost.
      this.client.resetAfterSending(why === null ? code : ErrorCode.NO_ERROR);
    } else if (why === null || code === ErrorCode.REFUSED_STREAM) {
      this.client.reset(code);
      this.finish(code === ErrorCode.REFUSED_STREAM ? Status.UNAVAILABLE : Status.CANCELLED);
    } else if (this.upstream!.connection.closed) {
      this.end(Status.UNAVAILABLE, `lost the connection to the upstream ${upstream.display}: ${why}`);
    } else if (code === ErrorCode.ENHANCE_YOUR_CALM) {
      this.end(Status.RESOURCE_EXHAUSTED, `the upstream ${upstream.display} answered with ${why}`);
    } else {
      this.end(Status.INTERNAL, `the upstream ${upstream.display} broke HTTP/2 (${errorName(code)}): ${why}`);
    }
  }

  // ---- life ----

  private open(connection: Connection, fields: readonly Field[], fin: boolean): void {
    const { client } = this;
    const head = upstreamHead(this.makeFilter === null ? fields : withoutLength(fields), this.link.upstream);
    if (this.by !== null) {
      for (const field of head) field.retain();
      this.head = head;
      this.headBytes = listSize(head);
      this.core.budget.charge(this.headBytes);
    }
    const upstream = connection.open(head, fin, new RelayAnswer(this));
    this.upstream = upstream;
    upstream.source = client;
    client.source = upstream;
  }

  /** Whether the first bytes of the request tell that the call is none to be relayed; then it has begun anew. */
  private isOther(buffer: Buffer, start: number, end: number, fin: boolean): boolean {
    const by = this.by!;
    const head = this.head!;
    this.forgetHead();
    // An upstream that has begun to answer before there was anything to answer to has the call.
    if (this.headSent) return false;
    const first = firstMessage([{ buffer, start, end }], fin);
    const way = first === "more" ? by.unsettle() : by.choose(first);
    if (way?.lane === "relay") return false;
    this.ended = true;
    this.client.source = null;
    this.upstream!.reset(ErrorCode.CANCEL);
    this.beginner!.anew(way, by, this.link.upstream, this.client, this.method, head);
    return true;
  }

  /** The call stays as it is. */
  private forgetHead(): void {
    this.by = this.head = null;
    this.core.budget.charge(-this.headBytes);
    this.headBytes = 0;
  }

  /** Takes bytes while there is no filter: what is only to be looked at needs none, unless it is compressed. */
  private filter(
    make: FilterMaker,
    upstream: Stream,
    buffer: Buffer,
    start: number,
    end: number,
    fin: boolean,
  ): number {
    if (make.look === undefined) return this.startFilter(make, upstream).data(buffer, start, end, fin);
    try {
      if (this.observer === null && isPlainMessage(buffer, start, end)) {
        make.look(buffer, start + PREFIX_BYTES, end);
      } else {
        if (this.observer === null && !isPlain(this.encoding))
          return this.startFilter(make, upstream).data(buffer, start, end, fin);
        this.observer ??= make.observe!();
        this.observer.feed(buffer, start, end);
        if (fin) this.observer.finish();
      }
    } catch (error) {
      this.refuse(error);
      return end - start;
    }
    return upstream.forward(buffer, start, end, fin);
  }

  /** The request ended with trailers. */
  private filterEnd(make: FilterMaker, upstream: Stream, trailers: readonly Field[]): void {
    if (make.look === undefined) {
      for (const field of trailers) field.retain();
      this.startFilter(make, upstream).end(trailers.slice());
      return;
    }
    try {
      this.observer?.finish();
      upstream.sendHeaders(trailers, true);
    } catch (error) {
      this.refuse(error);
    }
  }

  private startFilter(make: FilterMaker, upstream: Stream): FilteredRequest {
    const { budget, config } = this.core;
    const filter = make({ encoding: this.encoding, budget, maxMessageBytes: config.limits.maxMessageBytes });
    this.filtered = new FilteredRequest(filter, this.client, upstream, (error) => this.refuse(error));
    return this.filtered;
  }

  private refuse(error: unknown): void {
    this.upstream!.reset(ErrorCode.CANCEL);
    this.endWith(toCallError(error, this.core.log, this.method).ending);
  }

  private wait(fields: readonly Field[], fin: boolean): void {
    const { budget } = this.core;
    this.early = EarlyRequest.keep(this.client, budget, fields, fin);
    if (this.early === null) {
      this.link.cancel(this);
      this.endWith(budgetSpent(budget.limit).ending);
      return;
    }
    const timeout = timeoutOf(fields);
    if (timeout === null) return;
    this.timer = setTimeout(
      () => {
        this.link.cancel(this);
        const { display } = this.link.upstream;
        this.end(
          Status.DEADLINE_EXCEEDED,
          `the call's deadline passed while it waited for a stream to the upstream ${display}`,
        );
      },
      Math.min(timeout, 0x7fff_ffff),
    );
  }

  private takeEarly(): EarlyRequest | null {
    if (this.timer !== null) clearTimeout(this.timer);
    const { early } = this;
    this.early = null;
    return early;
  }

  private end(code: number, message: string): void {
    this.endWith({ code, message });
  }

  private endWith(ending: Ending): void {
    if (this.ended) return;
    this.core.refused(this.method, ending.code, ending.message);
    endCall(this.client, ending, this.headSent);
    this.finish(ending.code);
  }

  private finish(code: number): void {
    if (this.ended) return;
    this.ended = true;
    if (this.head !== null) this.forgetHead();
    if (this.early !== null) {
      this.takeEarly()!.drop();
      this.link.cancel(this);
    }
    if (this.makeFilter !== null) this.finishFilter();
    this.core.metrics.callEnded(this.method, "relay", code, (eventTime() - this.started) / 1000);
  }

  /** The answer is complete: what is left of the request is for nobody. */
  private finishFilter(): void {
    this.filtered?.close();
    if (this.upstream !== null && !this.upstream.localDone) this.upstream.reset(ErrorCode.CANCEL);
  }
}

/** Whether bytes are one message that is not compressed, and nothing else. */
function isPlainMessage(buffer: Buffer, start: number, end: number): boolean {
  const length = end - start - PREFIX_BYTES;
  return length >= 0 && buffer[start] === 0 && buffer.readUInt32BE(start + 1) === length;
}

/** Whether messages of this encoding cannot be compressed. */
function isPlain(encoding: string): boolean {
  return encoding === "" || encoding === "identity";
}

function statusOf(fields: readonly Field[]): number {
  for (const field of fields) {
    if (field.name !== GRPC_STATUS) continue;
    const code = Number(field.value);
    return code >= 0 && code <= 16 ? code : Status.UNKNOWN;
  }
  return Status.UNKNOWN;
}

/** Takes what comes from the upstream; a class, as closures of every call would cost more than the rest of it. */
class RelayAnswer implements StreamSink {
  private readonly call: RelayCall;

  constructor(call: RelayCall) {
    this.call = call;
  }

  headers(fields: readonly Field[], kind: number, fin: boolean): void {
    this.call.answerHeaders(fields, kind, fin);
  }

  data(buffer: Buffer, start: number, end: number, fin: boolean): number {
    return this.call.answerData(buffer, start, end, fin);
  }

  reset(code: number, why: string | null): void {
    this.call.answerReset(code, why);
  }

  drained(): void {
    // Credit goes back to the other side as bytes leave.
  }
}
