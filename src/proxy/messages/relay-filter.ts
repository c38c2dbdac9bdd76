import type { Budget } from "../../http2/budget.ts";
import type { Field } from "../../http2/hpack/field.ts";

/** Where the bytes of a filtered request go on to, in order. */
export interface Outflow {
  /** Passes on `buffer[start,end)` as it was just received. */
  pass(buffer: Buffer, start: number, end: number): void;
  /** Sends bytes that the caller leaves alone from now on. */
  insert(bytes: Buffer): void;
  /** Sends what `pieces` resolves to; what follows is kept until then. */
  insertLater(pieces: Promise<readonly Buffer[]>): void;
}

/**
 * Watches or changes the request of a relayed call while it passes; the response is relayed untouched. One object serves one call. A `CallError` or
 * `WireError` that it throws refuses the call: the upstream's stream is reset before its request is complete.
 */
export interface RelayFilter {
  /** Takes bytes of the request, valid during the call only. */
  feed(buffer: Buffer, start: number, end: number, out: Outflow): void;
  /** The request is complete. */
  finish(out: Outflow): void;
  /** The call is over; what is held can be dropped. */
  close(): void;
}

/** What a filter is made with. */
export interface FilterContext {
  /** The request's head, valid while the filter is made. */
  readonly head: readonly Field[];
  /** What the filter holds is charged to it. */
  readonly budget: Budget;
  /** The bound on a message that must be held whole, because it is compressed. */
  readonly maxMessageBytes: number;
}

/** Makes the filter of one call. */
export type FilterMaker = (context: FilterContext) => RelayFilter;
