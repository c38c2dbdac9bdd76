/** The names of attributes in capabilities (D32). */
import { rewriteField, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import type { Announcement, Edit } from "../translator.ts";

/** ServerCapabilities.execution_capabilities, and ExecutionCapabilities.supported_node_properties in it. */
const EXECUTION = 2;
const NAMES = 4;

/** The lens that takes the names away where the client has no form that the server reads: whoever used them would be refused. */
export function announceNodeProperties({ bytes, client, server }: Announcement): Edit {
  const shared = client.writes.some((form) => form !== "none" && server.reads.includes(form));
  if (shared) return null;
  return rewriteMessage(new Walker(bytes), (field, out) =>
    field.number === EXECUTION && field.wireType === WireType.LEN
      ? rewriteField(field, out, ({ number }) => (number === NAMES ? "drop" : "keep"))
      : "keep",
  );
}
