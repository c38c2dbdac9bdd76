/**
 * Which bytes a field may carry: RFC 9113 section 8.2.1, and for values also RFC 9110 section 5.5, so that no control
 * character but HTAB travels through the bridge.
 */

const SPACE = 0x20;
const TAB = 0x09;

/** 1 for every byte that may not occur anywhere in a field value. */
export const illegalInValue: Uint8Array = new Uint8Array(256).map((_, byte) =>
  (byte < SPACE && byte !== TAB) || byte === 0x7f ? 1 : 0,
);

/** Whether a byte is one of the two that may not start or end a value. */
export function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Whether the plain bytes `[start, end)` are a legal field value. */
export function isLegalValue(buf: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  let found = 0;
  for (let i = start; i < end; i++) found |= illegalInValue[buf[i]!]!;
  return found === 0 && !isBlank(buf[start]!) && !isBlank(buf[end - 1]!);
}

/**
 * Whether `name` is a legal field name: not empty, nothing up to space, no upper case, nothing from DEL on, and a
 * colon only as the first character of a pseudo-header.
 */
export function isLegalName(name: string): boolean {
  return /^[:!-9;-@[-~][!-9;-@[-~]*$/.test(name);
}
