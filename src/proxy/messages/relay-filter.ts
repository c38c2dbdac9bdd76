import type { Budget } from "../../http2/budget.ts";

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
  /** How messages are compressed: the value of `grpc-encoding`, or empty. */
  readonly encoding: string;
  /** What the filter holds is charged to it. */
  readonly budget: Budget;
  /** The bound on a message that must be held whole, because it is compressed. */
  readonly maxMessageBytes: number;
}

/** Makes the filter of one call. */
export interface FilterMaker {
  (context: FilterContext): RelayFilter;
  /**
   * All that the filter does to a whole message `buffer[start,end)` that is not compressed, if it only looks: throws to refuse it. A request that
   * comes in one piece needs no filter then.
   */
  readonly look?: (buffer: Buffer, start: number, end: number) => void;
  /** The same for requests in pieces of which no message is compressed: they are looked at, and go on as they came. */
  readonly observe?: () => RequestObserver;
}

/** Looks at the bytes of one request before they go on. Throws to refuse it. */
export interface RequestObserver {
  feed(buffer: Buffer, start: number, end: number): void;
  /** The request is complete. */
  finish(): void;
}
