/** Values of headers whose names end in `-bin`: base64 of bytes. */
import { WireError } from "./wire-error.ts";

const BASE64 = /^[A-Za-z0-9+/]*(={0,2})$/;

/** The value for these bytes; without padding, as gRPC asks of senders. */
export function encodeBinaryHeader(bytes: Buffer): string {
  const text = bytes.toString("base64");
  const padding = text.indexOf("=");
  return padding < 0 ? text : text.slice(0, padding);
}

/**
 * The bytes of one value, with padding or without.
 * @throws WireError `base64` for anything else, also for several values joined by commas: split these first.
 */
export function decodeBinaryHeader(value: string): Buffer {
  const padding = BASE64.exec(value)?.[1]?.length;
  const whole = value.length % 4 === 0;
  if (padding === undefined || (padding > 0 && !whole) || (value.length - padding) % 4 === 1) {
    throw new WireError("base64", "the value of a -bin header is not base64");
  }
  return Buffer.from(value, "base64");
}
