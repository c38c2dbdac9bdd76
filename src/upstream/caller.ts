import type { MemoryAllowance } from "../wire/message-buffer.ts";

/** What the upstream port stands on: a way to call the upstream for somebody. The proxy hands it in; tests make their own. */

/**
 * On whose behalf the port calls, and how. Every call carries the caller's metadata and what is left of the caller's deadline, and ends
 * when the caller is gone.
 */
export interface Caller {
  /**
   * Opens a call. `resourceName` is for calls of ByteStream: it goes into the routing header (D06). A routing header among the caller's
   * own metadata never goes along, since it names something else.
   */
  open(path: string, resourceName?: string): UpstreamCall;
  /** Counts what the port keeps for longer than one message. */
  readonly budget: Budget;
}

/** A bound on memory, in bytes; a negative charge gives some back. */
export type Budget = MemoryAllowance;

/**
 * One call, of any streaming shape; messages are without their envelopes and not compressed. When it ends with a status other than OK,
 * `messages` throws a {@link CallFailure}; `write` and `end` may throw it too, or do nothing.
 */
export interface UpstreamCall {
  /** Sends a message, given as slices that must not change any more. Resolves when it is time for the next one. */
  write(message: readonly Buffer[]): Promise<void>;
  /** Ends the request. */
  end(): Promise<void>;
  /** The upstream's messages; each stays as it is, but the call counts it against the budget only until the next one is asked for. */
  messages(): AsyncGenerator<Buffer, void, void>;
  /** Ends the call, whatever it is doing. Must be called where `messages` is not read to its end; otherwise it does nothing. */
  cancel(): void;
}

/** How a call ends that does not end with OK, by the upstream's will or for a failure on the way to it. */
export interface CallFailure extends Error {
  /** A gRPC status code. */
  readonly code: number;
  /** A `google.rpc.Status` as `grpc-status-details-bin` carries it. */
  readonly details?: string | undefined;
}
