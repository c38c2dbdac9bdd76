import { Status } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Ending } from "../local-reply.ts";

/** Ends a call with a gRPC status of the bridge's choice, or with the one the upstream gave. */
export class CallError extends Error {
  readonly code: number;
  /** A `google.rpc.Status` as base64, for `grpc-status-details-bin`. */
  readonly details: string | undefined;

  constructor(code: number, message: string, details?: string) {
    super(message);
    this.name = "CallError";
    this.code = code;
    this.details = details;
  }

  /** The same as what is sent. */
  get ending(): Ending {
    return {
      code: this.code,
      message: this.message,
      ...(this.details !== undefined && { details: this.details }),
    };
  }
}

/** How a call ends whose bytes break their format. Anything but a `CallError` or a `WireError` is a defect and thrown on. */
export function toCallError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (!(error instanceof WireError)) throw error;
  return new CallError(WIRE_CODES.get(error.code) ?? Status.INVALID_ARGUMENT, error.message);
}

/** Not INVALID_ARGUMENT, as for the content of messages. */
const WIRE_CODES: ReadonlyMap<string, number> = new Map<string, number>([
  ["message-too-large", Status.RESOURCE_EXHAUSTED],
  ["envelope-flag", Status.INTERNAL],
]);

/** The error of a stream that ends inside a message. */
export function cutMessage(): CallError {
  return new CallError(Status.INTERNAL, "the stream ended inside a message");
}

/** The error of a call that would make the bridge hold more than its budget of `limit` bytes. */
export function budgetSpent(limit: number): CallError {
  const message = `the bridge holds as much as its budget of ${limit} bytes allows; try again later`;
  return new CallError(Status.RESOURCE_EXHAUSTED, message);
}
