import type { CallFailed } from "../../../src/client/call-failed.ts";
import type { ErrorInfo, Violation } from "../../../src/wire/error-details.ts";
import { statusName } from "../../../src/wire/status.ts";

/** How a call of a played client failed, to be compared with what was predicted. */
export interface Failure {
  /** The `:path` of the call. */
  readonly call: string;
  readonly code: number;
  /** Name of the code, as `NOT_FOUND`. */
  readonly status: string;
  readonly message: string;
  readonly errorInfo: ErrorInfo | null;
  readonly violations: readonly Violation[];
}

/** The failure as a value. */
export function failureOf(error: CallFailed): Failure {
  const { path, code, message, errorInfo, violations } = error;
  return { call: path, code, status: statusName(code), message, errorInfo, violations };
}
