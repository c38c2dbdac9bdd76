/** Every way in which the bridge refuses a call over a feature (drift.md R6 and 6.6). docs/errors.md explains each; a test compares. */
import { Status } from "../wire/status.ts";

/**
 * The gRPC status of each code. None is one that clients repeat by themselves, and FAILED_PRECONDITION only stands for a blob that is
 * really missing: Bazel uploads again and loops otherwise.
 */
export const REFUSAL_STATUS = {
  "action-missing": Status.FAILED_PRECONDITION,
  "action-unsupported": Status.INVALID_ARGUMENT,
  "client-too-old": Status.INVALID_ARGUMENT,
  "compression-unsupported": Status.INVALID_ARGUMENT,
  "digest-function-unsupported": Status.INVALID_ARGUMENT,
  "digest-malformed": Status.INVALID_ARGUMENT,
  "input-unsupported": Status.INVALID_ARGUMENT,
  "method-unsupported": Status.UNIMPLEMENTED,
  "name-unsupported": Status.INVALID_ARGUMENT,
  "node-properties-unsupported": Status.INVALID_ARGUMENT,
  "operation-unknown": Status.NOT_FOUND,
  "output-unsupported": Status.INVALID_ARGUMENT,
  "platform-unsupported": Status.INVALID_ARGUMENT,
  "range-outside": Status.OUT_OF_RANGE,
  "request-unsupported": Status.INVALID_ARGUMENT,
  "upload-broken": Status.INVALID_ARGUMENT,
  "upstreams-disagree": Status.INVALID_ARGUMENT,
} as const;

/** One of {@link REFUSAL_STATUS}. Codes are stable: programs may match on them. */
export type RefusalCode = keyof typeof REFUSAL_STATUS;
