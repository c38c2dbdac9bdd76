import type { Budget } from "./budget.ts";
import type { ConnectionCounters } from "./counters.ts";
import type { Field } from "./hpack/field.ts";
import type { Stream } from "./stream.ts";

/** What a connection tells whoever made it. */
export interface ConnectionOwner {
  /**
   * Server role: a new request. The owner sets `stream.sink` before it returns. `fields` is valid during the call only; with `tooLarge`
   * the list exceeded the limit and is cut.
   */
  request(stream: Stream, fields: readonly Field[], fin: boolean, tooLarge: boolean): void;
  /** The peer's first SETTINGS came: it does speak HTTP/2. */
  ready(): void;
  /** Client role: a stream ended or the peer's limit changed, so there may be room for another stream. */
  capacity(): void;
  /** The peer will take no new streams. */
  goingAway(why: string): void;
  /** The connection is over; every stream has been told. */
  closed(why: string): void;
}

/** What a connection needs to know. */
export interface ConnectionOptions {
  readonly role: "server" | "client";
  readonly budget: Budget;
  readonly counters: ConnectionCounters;
  /** Streams the peer may have open at once (server role). */
  readonly maxStreams: number;
  /** The largest header list, in bytes as RFC 9113 section 6.5.2 counts them. */
  readonly maxHeaderList: number;
}

/** Stops and restarts the delivery of bytes. */
export interface ReadControl {
  pause(): void;
  resume(): void;
}
