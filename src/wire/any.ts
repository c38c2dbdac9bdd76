import { type Walker, WireType } from "./walker.ts";

/** Whether a google.protobuf.Any holds a message of this name. Only what follows the last slash of its type URL counts. */
export function isPacked(any: Walker, name: string): boolean {
  let typeUrl = "";
  while (any.next()) if (any.number === 1 && any.wireType === WireType.LEN) typeUrl = any.text();
  return typeUrl.endsWith(`/${name}`);
}
