/** What can be wrong with bytes or text that came from a peer. Codes are stable; match on them, not on messages. */
export type WireErrorCode =
  /** The first byte of a gRPC envelope is neither 0 nor 1. */
  | "envelope-flag"
  /** A message, declared or given, is longer than the limit. */
  | "message-too-large"
  /** Input ends inside an envelope, a field or a group. */
  | "truncated"
  /** A varint does not end where it must, or does not fit its type. */
  | "varint"
  /** A field number outside 1 … 2^29-1. */
  | "field-number"
  /** Wire type 6 or 7, an end of a group that none began, or a field of another type than the one asked for. */
  | "wire-type"
  /** Messages or groups nested deeper than the limit. */
  | "too-deep"
  /** More separate pieces than the limit while a message is written. */
  | "too-many-pieces"
  /** Text that is not UTF-8. */
  | "utf8"
  /** A digest's hash: not lower-case hexadecimal, or of a length its function does not have. */
  | "digest-hash"
  /** A digest's size: not a plain decimal number from 0 to 2^53-1. */
  | "digest-size"
  /** A Tree without a directory that it refers to. */
  | "tree"
  /** A header value that should be base64 and is not. */
  | "base64"
  /** A `grpc-timeout` that is not one to eight digits and a unit. */
  | "timeout";

/** Input from a peer that breaks its format. The message is a sentence for the peer's user and quotes no payload. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
