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
