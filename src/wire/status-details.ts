/** `google.rpc.Status` with its details, as the `grpc-status-details-bin` trailer and response messages carry it. */
import { decodeBinaryHeader, encodeBinaryHeader } from "./binary-header.ts";
import { FieldWriter } from "./field-writer.ts";
import { Walker } from "./walker.ts";

/** A `google.protobuf.Any`: a message and the name of its type after the last slash of the URL. */
export interface Detail {
  readonly typeUrl: string;
  readonly value: Buffer;
}

/** A `google.rpc.Status`. */
export interface RpcStatus {
  /** A gRPC status code; any int32 is kept. */
  readonly code: number;
  readonly message: string;
  readonly details: readonly Detail[];
}

/** Full name of a detail's message type: the text after the last slash. */
export function detailType(detail: Detail): string {
  return detail.typeUrl.slice(detail.typeUrl.lastIndexOf("/") + 1);
}

/**
 * Reads a Status; values of details are views of the input. Fields Status does not have are dropped: to change one detail and keep the
 * rest, use `rewriteMessage`.
 * @throws WireError as the walker does.
 */
export function readStatus(message: Walker): RpcStatus {
  let code = 0;
  let text = "";
  const details: Detail[] = [];
  while (message.next()) {
    if (message.number === 1) code = message.int32();
    else if (message.number === 2) text = message.text();
    else if (message.number === 3) details.push(readDetail(message.enter()));
  }
  return { code, message: text, details };
}

/** The bytes of a Status, in canonical form. */
export function encodeStatus(status: RpcStatus): Buffer {
  const out = new FieldWriter();
  if (status.code !== 0) out.varint(1, status.code);
  if (status.message !== "") out.text(2, status.message);
  for (const detail of status.details) {
    const any = new FieldWriter();
    if (detail.typeUrl !== "") any.text(1, detail.typeUrl);
    if (detail.value.length > 0) any.bytes(2, detail.value);
    out.message(3, any.finish());
  }
  return out.toBuffer();
}

/**
 * The Status in a `grpc-status-details-bin` value.
 * @throws WireError `base64`, or as the walker does.
 */
export function decodeStatusDetails(value: string): RpcStatus {
  return readStatus(new Walker(decodeBinaryHeader(value)));
}

/** The `grpc-status-details-bin` value of a Status. Its code and message should equal `grpc-status` and `grpc-message`. */
export function encodeStatusDetails(status: RpcStatus): string {
  return encodeBinaryHeader(encodeStatus(status));
}

function readDetail(any: Walker): Detail {
  let typeUrl = "";
  let value = Buffer.alloc(0);
  while (any.next()) {
    if (any.number === 1) typeUrl = any.text();
    else if (any.number === 2) value = any.bytes() as typeof value;
  }
  return { typeUrl, value };
}
