/** The error that ends a call of the embedded server with a status. */
import type { StatusCode } from "../wire/status.ts";
import type { Detail } from "../wire/status-details.ts";

/** Thrown by whatever answers a call; the caller gets exactly this status. Anything else that is thrown becomes INTERNAL. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly code: StatusCode;
  /** Sent in `grpc-status-details-bin`; empty for most. */
  readonly details: readonly Detail[];

  /** `message` is read by people at the other end: what is wrong, and what would be right. */
  constructor(code: StatusCode, message: string, details: readonly Detail[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
