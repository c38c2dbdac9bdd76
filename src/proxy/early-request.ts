import type { Budget } from "../http2/budget.ts";
import { copyWithHeadroom, HEADROOM } from "../http2/headroom.ts";
import { type Field, listSize } from "../http2/hpack/field.ts";
import { HeadKind, type Stream } from "../http2/stream.ts";

/**
 * What came of a request before there was somebody to take it. Its headers are charged to the budget; its data counts as held on the stream, so
 * that the client stops when its window is full.
 */
export class EarlyRequest {
  /** The request's head. */
  readonly head: readonly Field[];
  private readonly stream: Stream;
  private readonly budget: Budget;
  private data: Buffer[] = [];
  private trailers: readonly Field[] | null = null;
  private fin: boolean;
  private charged: number;

  private constructor(stream: Stream, budget: Budget, head: readonly Field[], fin: boolean) {
    this.stream = stream;
    this.budget = budget;
    this.head = head.slice();
    this.fin = fin;
    this.charged = listSize(head);
    for (const field of head) field.retain();
  }

  /** Keeps a request that has just begun on `stream`; null if the budget is spent. */
  static keep(stream: Stream, budget: Budget, head: readonly Field[], fin: boolean): EarlyRequest | null {
    return budget.chargeHead(listSize(head)) ? new EarlyRequest(stream, budget, head, fin) : null;
  }

  /** True if the request ended with its head. */
  get bare(): boolean {
    return this.fin && this.data.length === 0 && this.trailers === null;
  }

  /** The data that came so far. */
  *pieces(): Generator<{ readonly buffer: Buffer; readonly start: number; readonly end: number }> {
    for (const buffer of this.data) yield { buffer, start: HEADROOM, end: buffer.length };
  }

  /** Takes data as a sink does; all of it is held. */
  add(buffer: Buffer, start: number, end: number, fin: boolean): number {
    this.data.push(copyWithHeadroom(buffer, start, end));
    this.fin = fin;
    return 0;
  }

  /** Takes the request's trailers. */
  addTrailers(fields: readonly Field[]): void {
    for (const field of fields) field.retain();
    this.trailers = fields.slice();
    this.fin = true;
    this.charged += listSize(fields);
    this.budget.charge(listSize(fields));
  }

  /** Hands on what came after the head, as it would have come, to whoever is the stream's sink then: it may give way to another in the middle. */
  handOn(): void {
    const { data, trailers, fin, stream } = this;
    this.data = [];
    this.release();
    const last = trailers === null ? data.length - 1 : -1;
    data.forEach((piece, i) => {
      stream.consumed(stream.sink.data(piece, HEADROOM, piece.length, fin && i === last));
    });
    if (trailers !== null) stream.sink.headers(trailers, HeadKind.TRAILERS, true);
  }

  /** Drops everything. */
  drop(): void {
    let held = 0;
    for (const piece of this.data) held += piece.length - HEADROOM;
    this.data = [];
    this.release();
    if (held > 0) this.stream.consumed(held);
  }

  private release(): void {
    this.budget.charge(-this.charged);
    this.charged = 0;
  }
}
