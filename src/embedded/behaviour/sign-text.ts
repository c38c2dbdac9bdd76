/** Texts that fit what a profile says about the texts of a server. */

/**
 * A text that the expression of a recognition sign matches: the expression itself without anchors and escapes, and with the first of
 * alternative letters, as such expressions are parts of messages. Null if that does not do, as for `[0-9]+`: then the server's own text is unknown.
 */
export function textFitting(expression: string): string | null {
  const plain = expression
    .replace(/^\^|\$$/g, "")
    .replace(/\\([^\w])/g, "$1")
    .replace(/\[(\w)\w*\]/g, "$1");
  return new RegExp(expression).test(plain) ? plain : null;
}
