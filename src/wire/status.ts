/** gRPC status codes and the text form of `grpc-message`. */

/** The status codes of gRPC. */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One of {@link Status}. */
export type StatusCode = (typeof Status)[keyof typeof Status];

const NAMES = Object.keys(Status);

/** The name of a status code; a number outside the table is shown as `code 42`. */
export function statusName(code: number): string {
  return NAMES[code] ?? `code ${code}`;
}

/** The code in a `grpc-status` value; UNKNOWN, as gRPC asks, for anything but a known decimal number. */
export function parseStatusCode(value: string): StatusCode {
  const code = /^(?:0|[1-9][0-9]?)$/.test(value) ? Number(value) : Status.UNKNOWN;
  return code < NAMES.length ? (code as StatusCode) : Status.UNKNOWN;
}

/** A message as `grpc-message` carries it: UTF-8, each byte outside space … `~` and each `%` as `%XX`. */
export function encodeGrpcMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message;
  let text = "";
  for (const byte of Buffer.from(message, "utf8")) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += plain ? String.fromCharCode(byte) : `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
  }
  return text;
}

/**
 * The message in a `grpc-message` value (one character for each byte). Never fails: a `%` that no two digits follow stays, and bytes that
 * are not UTF-8 become U+FFFD.
 */
export function decodeGrpcMessage(value: string): string {
  const latin1 = value.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, "latin1").toString("utf8");
}

const HEX = "0123456789ABCDEF";
