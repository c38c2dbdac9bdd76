/** The names of attributes in capabilities (D32, D33). */
import { rewriteField, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { FORMS } from "../node-properties/forms.ts";
import { type Nodes, nameIn } from "../node-properties/values.ts";
import type { Announcement, Edit } from "../translator.ts";

/** ServerCapabilities.execution_capabilities, and ExecutionCapabilities.supported_node_properties in it. */
const EXECUTION = 2;
const NAMES = 4;

/**
 * The lens that gives attributes the names by which the client asks for them. It takes the names away where the client, or the server, has no form to ask in:
 * whoever used them would be refused. A
 * server that lists names of platform properties there is left alone.
 */
export function announceNodeProperties({ bytes, client, server, pair }: Announcement): Edit {
  if (pair.server.facts.nodePropertyNames?.of === "platform") return null;
  const asked = asking(client.writes);
  const served = asking(server.reads).length > 0;
  if (served && asked.length === 0 && client.writes.includes("inputs")) return null;
  return rewriteMessage(new Walker(bytes), (field, out) =>
    field.number === EXECUTION && field.wireType === WireType.LEN
      ? rewriteField(field, out, (inner, names) => {
          if (inner.number !== NAMES || inner.wireType !== WireType.LEN) return "keep";
          if (!served || asked.length === 0) return "drop";
          const name = inner.bytes().toString();
          const told = nameIn(asked[0]!, name);
          if (told === name) return "keep";
          names.text(NAMES, told);
          return "drop";
        })
      : "keep",
  );
}

/** How nodes are written in those of the forms in which attributes of outputs are asked for, the preferred first. */
function asking(forms: readonly string[]): Nodes[] {
  return forms.flatMap((name) => (FORMS[name]?.asks == null ? [] : [FORMS[name].nodes]));
}
