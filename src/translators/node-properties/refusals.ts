/** What is refused of node properties, and in which words. */
import { refusalOf } from "../refusal.ts";
import type { ActionUse, Pair, Reject, Use, UsedThing } from "../translator.ts";
import { FEATURE, type Form, LIST, MESSAGE } from "./forms.ts";
import { PLACES } from "./nodes.ts";
import { namesAsked } from "./requests.ts";
import { type Fail, type Nodes, nameIn } from "./values.ts";

const V2 = "build.bazel.remote.execution.v2";
const CODE = "node-properties-unsupported";
const FITTING = "have it in a form that both sides can express, or leave it out";

/** The element that has attributes in nodes of a form, and the other form. */
const ELEMENT = { list: LIST, message: MESSAGE } as const;
const OTHER = { list: "message", message: "list" } as const;
const HAVING = { list: "as pairs of text", message: "as NodeProperties" } as const;

/** The step that refuses these uses. */
export function refusal(has: Reject["has"], fix: string, uses: readonly Use[]): Reject {
  return { kind: "reject", code: CODE, has, fix, uses };
}

/** Requests for attributes of outputs in a form: all of them, or those of which `isUse` says so. */
export function inRequests(
  { asks }: Form,
  isUse: (names: readonly string[], pair: Pair) => boolean = (names) => names.length > 0,
): Use[] {
  if (asks === null) return [];
  const message = asks === "action" ? "Action" : "Command";
  const used: ActionUse = {
    what: `${message}.output_node_properties`,
    element: `${V2}.${message}.output_node_properties`,
    text: "output_node_properties",
    found: (action, command, pair) => isUse(namesAsked({ action, command }, { asks }), pair),
  };
  return [{ in: "action", used }];
}

/** Input directories with attributes in a form, of their own or of a node in them. */
export function inDirectories({ nodes }: Form): Use[] {
  const { directory, file, symlink } = PLACES;
  const uses: readonly (readonly [text: string, path: readonly number[]])[] = [
    ["node_properties", [directory[nodes]]],
    ["files[].node_properties", [1, file[nodes]]],
    ["symlinks[].node_properties", [3, symlink[nodes]]],
  ];
  return uses.map(([text, path]) => ({
    in: "directory",
    used: { what: "A node with attributes", element: ELEMENT[nodes], text, path },
  }));
}

/** Whether it is known of one of the names that the upstream does not return it. */
export function isLacking(names: readonly string[], { server }: Pair): boolean {
  const returned = server.facts.nodeAttributes?.returned?.map((name) => nameIn("message", name));
  return names.some((name) => returned?.includes(nameIn("message", name)) === false);
}

/** What the upstream returns of attributes, as the end of a sentence. */
export function returnedBy({ server }: Pair): string {
  const returned = server.facts.nodeAttributes?.returned ?? [];
  return returned.length === 0
    ? "returns no attributes of outputs"
    : `returns only ${returned.join(", ")} of the attributes of outputs`;
}

/** Refuses an attribute of an input that cannot be put into the form `to`. */
export function failInInput(from: string, to: Nodes, pair: Pair): Fail {
  return (attribute, why) =>
    refuse(from, to, pair, attribute, `reads attributes ${HAVING[to]} only, and ${why}`);
}

/** Refuses an attribute of an output that cannot be put into the form `to`: a look-up is a miss then. */
export function failInOutput(from: string, to: Nodes, pair: Pair): Fail {
  return (attribute, why) =>
    refuse(
      from,
      to,
      pair,
      attribute,
      `returned it, while the client reads them ${HAVING[to]} only, and ${why}`,
    );
}

function refuse(from: string, to: Nodes, pair: Pair, attribute: string, has: string): never {
  const used: UsedThing = {
    what: `The attribute ${attribute}`,
    element: ELEMENT[OTHER[to]],
    text: attribute,
  };
  throw refusalOf({ feature: FEATURE }, { code: CODE, has, fix: FITTING }, from, used, pair);
}
