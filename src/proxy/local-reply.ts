import { ErrorCode } from "../http2/constants.ts";
import { type Field, makeField } from "../http2/hpack/field.ts";
import { internName } from "../http2/hpack/name.ts";
import type { Stream } from "../http2/stream.ts";
import { encodeGrpcMessage } from "../wire/status.ts";

const OK_STATUS = makeField(internName(":status"), "200");
const GRPC_TYPE = makeField(internName("content-type"), "application/grpc", { index: true });
const GRPC_STATUS = internName("grpc-status");
const GRPC_MESSAGE = internName("grpc-message");
const GRPC_DETAILS = internName("grpc-status-details-bin");

/** How a call ends: a gRPC status code, a message for people, and details as base64 of a `google.rpc.Status`, if any. */
export interface Ending {
  readonly code: number;
  readonly message: string;
  readonly details?: string;
}

/** The fields a call ends with, without the head. */
export function trailerFields(ending: Ending): Field[] {
  const fields = [makeField(GRPC_STATUS, String(ending.code), { index: true })];
  if (ending.message !== "") fields.push(makeField(GRPC_MESSAGE, encodeGrpcMessage(ending.message.trim())));
  if (ending.details !== undefined) fields.push(makeField(GRPC_DETAILS, ending.details));
  return fields;
}

/** The head of a response that the bridge itself gives. */
export function responseHead(): Field[] {
  return [OK_STATUS, GRPC_TYPE];
}

/**
 * Ends a call with an error: trailers-only, or, with `headSent`, as the trailers of what has been sent so far; `metadata` goes along. A client that
 * is still sending is told to stop.
 */
export function endCall(
  stream: Stream,
  ending: Ending,
  headSent: boolean,
  metadata: readonly Field[] = [],
): void {
  const trailers = [...trailerFields(ending), ...metadata];
  stream.sendHeaders(headSent ? trailers : [...responseHead(), ...trailers], true);
  if (!stream.remoteDone) stream.resetAfterSending(ErrorCode.NO_ERROR);
}
