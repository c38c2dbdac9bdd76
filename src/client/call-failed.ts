/** How a call ended that did not end well, as a client sees it. */
import type { ServiceError } from "@grpc/grpc-js";
import {
  type ErrorInfo,
  readErrorInfo,
  readPreconditionFailure,
  type Violation,
} from "../wire/error-details.ts";
import { type StatusCode, statusName } from "../wire/status.ts";
import { detailType, type RpcStatus, readStatus } from "../wire/status-details.ts";
import { Walker } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";

/** A call, or an operation, that ended with a status other than OK. `message` is the server's own. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  /** The `:path` of the call. */
  readonly path: string;
  readonly code: number;
  /** The status with its details; null if none came, or none that can be read. */
  readonly status: RpcStatus | null;

  constructor(path: string, code: number, message: string, status: RpcStatus | null) {
    super(message);
    this.path = path;
    this.code = code;
    this.status = status;
  }

  /** What grpc-js makes of a call that failed. */
  static of(path: string, error: ServiceError): CallFailed {
    const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
    const status = details === undefined ? null : unlessBroken(() => statusIn(details as Buffer));
    return new CallFailed(path, error.code, error.details, status);
  }

  /** Whether it ended with this status. */
  is(code: StatusCode): boolean {
    return this.code === code;
  }

  /** The first ErrorInfo among the details; null if there is none that can be read. */
  get errorInfo(): ErrorInfo | null {
    const [value] = this.#details("google.rpc.ErrorInfo");
    return value === undefined ? null : unlessBroken(() => readErrorInfo(value));
  }

  /** All violations of preconditions among the details; those that cannot be read are left out. */
  get violations(): Violation[] {
    const values = this.#details("google.rpc.PreconditionFailure");
    return values.flatMap((value) => unlessBroken(() => readPreconditionFailure(value)) ?? []);
  }

  /** For people: the call, the status and what the server said. */
  get text(): string {
    return `the call ${this.path} failed: ${this.code} ${statusName(this.code)}: ${this.message}`;
  }

  #details(type: string): Buffer[] {
    const details = this.status?.details ?? [];
    return details.filter((detail) => detailType(detail) === type).map(({ value }) => value);
  }
}

/** The bytes of a `google.rpc.Status`. @throws WireError as the walker does. */
function statusIn(bytes: Buffer): RpcStatus {
  return readStatus(new Walker(bytes));
}

function unlessBroken<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
