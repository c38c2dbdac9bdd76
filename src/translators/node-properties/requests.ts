/** Moves the request for attributes of outputs between the Action and the Command (D30), and gives them the names of the other form (D33). */
import { rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import type { ActionEdit, ActionMessages, Edit } from "../translator.ts";
import { type Nodes, nameIn } from "./values.ts";

/** How attributes of outputs are asked for. */
export interface Asking {
  /** The message whose `output_node_properties` (8 in either) has the names. */
  readonly asks: "action" | "command";
  /** The form whose names are used. */
  readonly nodes: Nodes;
}

const NAMES = 8;

/** The names that are asked for, as they stand there. */
export function namesAsked(given: ActionMessages, { asks }: Pick<Asking, "asks">): string[] {
  const names: string[] = [];
  const field = new Walker(given[asks]);
  while (field.next())
    if (field.number === NAMES && field.wireType === WireType.LEN) names.push(field.bytes().toString());
  return names;
}

/**
 * Asks as `to` does for what is asked as `from` does. An action that asks in both places serves readers of either and stays; so does one that asks for
 * nothing.
 */
export function moveRequest(given: ActionMessages, from: Asking, to: Asking): ActionEdit | null {
  const asked = namesAsked(given, from);
  if (asked.length === 0) return null;
  const names = sorted(asked.map((name) => nameIn(to.nodes, name)));
  if (from.asks === to.asks) {
    const same = names.length === asked.length && names.every((name, at) => name === asked[at]);
    return same ? null : { [to.asks]: withNames(given[to.asks], names) };
  }
  if (namesAsked(given, to).length > 0) return null;
  return { [from.asks]: withNames(given[from.asks], []), [to.asks]: withNames(given[to.asks], names) };
}

function withNames(message: Buffer, names: readonly string[]): Edit {
  return rewriteMessage(
    new Walker(message),
    ({ number, wireType }) => (number === NAMES && wireType === WireType.LEN ? "drop" : "keep"),
    (out) => {
      for (const name of names) out.text(NAMES, name);
    },
  );
}

/** Each once, in the order of their bytes. */
function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
