import type { Field } from "../../http2/hpack/field.ts";
import type { Log } from "../../observe/log.ts";
import { BridgeError } from "../../spec/bridge-error.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { Status } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Ending } from "../local-reply.ts";

/** Ends a call with a gRPC status of the bridge's choice, or with the one the upstream gave. */
export class CallError extends Error {
  readonly code: number;
  /** A `google.rpc.Status` as base64, for `grpc-status-details-bin`. */
  readonly details: string | undefined;
  /** True if the status is the upstream's and is only passed on: then it is no refusal of the bridge. */
  readonly passedOn: boolean;
  /** What the upstream sent along with its status. */
  readonly metadata: readonly Field[];

  constructor(
    code: number,
    message: string,
    details?: string,
    passedOn = false,
    metadata: readonly Field[] = [],
  ) {
    super(message);
    this.name = "CallError";
    this.code = code;
    this.details = details;
    this.passedOn = passedOn;
    this.metadata = metadata;
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

/**
 * How a call ends that fails with `error`: as a refusal says, as the upstream said, or, where bytes break their format, with INVALID_ARGUMENT or what
 * fits better. Anything else is a defect: it is logged, and INTERNAL for the caller.
 */
export function toCallError(error: unknown, log: Log, method: string): CallError {
  if (error instanceof CallError) return error;
  if (error instanceof BridgeError) return new CallError(error.status, error.message, error.details);
  if (error instanceof UpstreamError) {
    const sent = error.cause instanceof CallError ? error.cause.metadata : [];
    return new CallError(error.code, error.message, error.rawDetails, true, sent);
  }
  if (error instanceof WireError) return wireFailure(error);
  log.error({ method, err: error }, "a call failed in the bridge; please report this");
  return new CallError(Status.INTERNAL, "the bridge failed on this call; its log says more");
}

/** How a call ends whose bytes break their format. */
export function wireFailure(error: WireError): CallError {
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
