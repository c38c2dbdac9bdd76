/** Failures as the `google.rpc.Status` of a response. */
import { BridgeError } from "../spec/bridge-error.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { Status } from "../wire/status.ts";
import { decodeStatusDetails, encodeStatus } from "../wire/status-details.ts";
import { WireError } from "../wire/wire-error.ts";

/** The bytes of a Status that tells a failure; anything but a refusal, a failure of the upstream's or broken bytes is thrown on. */
export function statusOf(error: unknown): Buffer {
  if (error instanceof BridgeError) return encodeStatus(decodeStatusDetails(error.details));
  if (error instanceof UpstreamError) {
    return encodeStatus({ code: error.code, message: error.message, details: error.details });
  }
  if (error instanceof WireError) {
    const message = `the result of the action cannot be given the client's form: ${error.message}`;
    return encodeStatus({ code: Status.DATA_LOSS, message, details: [] });
  }
  throw error;
}

/** Whether a failure is one that {@link statusOf} tells; all others are defects. */
export function isTold(error: unknown): boolean {
  return error instanceof BridgeError || error instanceof UpstreamError || error instanceof WireError;
}
