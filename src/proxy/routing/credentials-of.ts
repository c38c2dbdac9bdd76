/** Tells callers apart by the credentials they send, without keeping these. */
import { createHash } from "node:crypto";
import type { Field } from "../../http2/hpack/field.ts";

/** Names of the headers in which servers of this API take credentials: `authorization`, `x-buildbuddy-api-key`, cookies, tokens. */
const CREDENTIALS = /auth|key|token|cookie|secret/;

/** A fingerprint of what looks like credentials in a request's head: equal for equal ones, of which it does not tell. */
export function credentialsOf(fields: readonly Field[]): string {
  const found = fields.filter(({ name }) => !name.pseudo && CREDENTIALS.test(name.text));
  if (found.length === 0) return "";
  const hash = createHash("sha256");
  for (const { name, value } of found) hash.update(`${name.text}\0${value}\0`);
  return hash.digest("base64");
}
