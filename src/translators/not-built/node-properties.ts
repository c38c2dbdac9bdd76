import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { type ElementId, knows } from "../../spec/ledger.ts";
import { announceNodeProperties } from "../announce/node-property-names.ts";
import { assumed, pass } from "../declare.ts";
import { of } from "../names.ts";
import type { FieldUse, Reject, Translator, Use } from "../translator.ts";
import { findUse } from "../uses.ts";

const V2 = "build.bazel.remote.execution.v2";
const MESSAGE = `${V2}.FileNode.node_properties` as const;
const LIST = `${V2}.FileNode.node_properties@5` as const;

/** The request for properties, and the fields of nodes that hold them, in either form. */
const LIST_USES = [
  requested("Action.output_node_properties", `${V2}.Action.output_node_properties`, "action"),
  ...nodes(LIST, [4], [1, 5], [3, 3]),
];
const MESSAGE_USES = [
  requested("Command.output_node_properties", `${V2}.Command.output_node_properties`, "command"),
  ...nodes(MESSAGE, [5], [1, 6], [3, 4]),
];

const UNASKED = pass("a client that asks for properties is refused; those it did not ask for it may ignore");

/**
 * File attributes of inputs and outputs (D30 to D33): a list in 2.0 and 2.1, a message with other numbers since 2.2. A peer skips the other form
 * without a word. To translate means to rewrite every Directory on the way to the root, which nothing does yet.
 */
export const nodeProperties: Translator = {
  feature: {
    id: "node-properties",
    title: "Attributes of files and directories",
    since: "2.0",
    drift: ["D31", "D30", "D32", "D33"],
    why: "A peer skips the other form: the action runs without the attributes, and nobody notices.",
    forms: {
      none: "no attributes",
      list: "pairs of text, requested in the Action (2.0 and 2.1)",
      message: "NodeProperties, requested in the Command (since 2.2)",
    },
  },
  owns: [
    "behaviour:intermediate-node-properties",
    "behaviour:property-lexicon",
    "behaviour:property-field-names",
    ...of("Action", "output_node_properties"),
    ...of("Command", "output_node_properties"),
    ...of("ExecutionCapabilities", "supported_node_properties"),
    ...of("NodeProperties", "properties", "mtime", "unix_mode"),
    ...of("NodeProperty", "name", "value"),
    ...of("Directory", "node_properties", "node_properties@4"),
    ...of("FileNode", "node_properties", "node_properties@5"),
    ...of("SymlinkNode", "node_properties", "node_properties@3"),
    ...of("OutputFile", "node_properties", "node_properties@6"),
    ...of("OutputSymlink", "node_properties", "node_properties@3"),
  ],
  after: [],
  clientAhead: "refused where properties are used",
  serverAhead: "refused where properties are used",
  support: ({ level }: PeerFacts): Support | null => {
    if (level === null) return null;
    const form = knows(level.value, MESSAGE) ? ["message"] : knows(level.value, LIST) ? ["list"] : [];
    return { reads: [...form, "none"], writes: [...form, "none"], evidence: level.evidence };
  },
  announce: announceNodeProperties,
  assume: {
    client: assumed(["message", "none"], ["message", "none"]),
    server: assumed(["none"], ["none"]),
  },
  toServer: {
    none: { list: pass("there is nothing to express"), message: pass("there is nothing to express") },
    list: {
      none: refuse("drops attributes", LIST_USES),
      message: refuse("reads the form since 2.2 only", LIST_USES),
    },
    message: {
      none: refuse("drops attributes", MESSAGE_USES),
      list: refuse("reads the form before 2.2 only", MESSAGE_USES),
    },
  },
  toClient: {
    none: { list: UNASKED, message: UNASKED },
    list: { none: UNASKED, message: UNASKED },
    message: { none: UNASKED, list: UNASKED },
  },
};

function refuse(has: string, uses: readonly Use[]): Reject {
  const fix = "drop the attributes and the request for them, or use an upstream that has them in this form";
  return { kind: "reject", code: "node-properties-unsupported", has, fix, uses };
}

function requested(what: string, element: ElementId, where: "action" | "command"): Use {
  const used: FieldUse = { what, element, text: "output_node_properties", path: [8] };
  const found = (action: Buffer, command: Buffer): boolean =>
    findUse(where === "action" ? action : command, [used]) !== null;
  return { in: "action", used: { ...used, found } };
}

function nodes(element: ElementId, ...paths: readonly (readonly number[])[]): Use[] {
  const texts = ["node_properties", "files[].node_properties", "symlinks[].node_properties"];
  return paths.map((path, index) => ({
    in: "directory",
    used: { what: "A node with attributes", element, text: texts[index]!, path },
  }));
}
