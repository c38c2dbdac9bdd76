import type { WireError, WireErrorCode } from "../../../src/wire/wire-error.ts";

/** For `assert.throws`: a WireError of this code whose message matches. */
export function wireError(code: WireErrorCode, message = /./): (error: unknown) => boolean {
  return (error) => {
    const { name, code: actual, message: text } = error as WireError;
    return name === "WireError" && actual === code && message.test(text);
  };
}

/** Bytes from hexadecimal; spaces are for the reader. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}
