/** The forms of node properties, and who has which. */
import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { knows } from "../../spec/ledger.ts";
import { EXECUTE } from "../methods.ts";
import type { Feature } from "../translator.ts";
import type { Asking } from "./requests.ts";
import type { Nodes } from "./values.ts";

const V2 = "build.bazel.remote.execution.v2";
/** The elements that tell the two forms of nodes. */
export const MESSAGE = `${V2}.FileNode.node_properties` as const;
export const LIST = `${V2}.FileNode.node_properties@5` as const;

/** The feature with its forms. */
export const FEATURE: Feature = {
  id: "node-properties",
  title: "Attributes of files and directories",
  since: "2.0",
  drift: ["D31", "D30", "D32", "D33"],
  why: "A peer skips the other form: the action runs without the attributes, and nobody notices.",
  forms: {
    none: "no attributes",
    list: "pairs of text, requested in the Action (2.0 and 2.1)",
    "2020-03": "pairs of text, requested in the Command (between 2.1 and 2.2)",
    message: "NodeProperties, requested in the Command (since 2.2)",
    inputs: "NodeProperties of inputs, with none requested of outputs",
    some: "as message, and it is known which attributes of outputs are returned",
  },
};

/** What a form is made of. */
export interface Form {
  /** How nodes carry attributes. */
  readonly nodes: Nodes;
  /** Where attributes of outputs are asked for; null where they are not. */
  readonly asks: Asking["asks"] | null;
  /** Only those come back that are known to. */
  readonly some?: true;
}

/** Each form but `none`. */
export const FORMS: Readonly<Record<string, Form>> = {
  list: { nodes: "list", asks: "action" },
  "2020-03": { nodes: "list", asks: "command" },
  message: { nodes: "message", asks: "command" },
  inputs: { nodes: "message", asks: null },
  some: { nodes: "message", asks: "command", some: true },
};

/** The forms of a peer by its level, and of a server by what its profile says that it returns. */
export function supportOf(facts: PeerFacts): Support | null {
  const { role, level } = facts;
  if (level === null) return null;
  const { evidence } = level;
  const form = knows(level.value, MESSAGE) ? "message" : knows(level.value, LIST) ? "list" : null;
  if (form === null) return { reads: ["none"], writes: ["none"], evidence };
  if (role === "client") return { reads: [form, "none"], writes: [form, "none"], evidence };
  return ofServer(facts as PeerFacts<"server">, form, evidence);
}

function ofServer(
  { facts, missingMethods }: PeerFacts<"server">,
  form: Nodes,
  evidence: Support["evidence"],
): Support {
  const { applied, returned } = facts?.nodeAttributes ?? {};
  // A cache has what clients stored, in the form of those who know the action by the same digest.
  const executes = facts?.execution?.offered !== "no" && !missingMethods.includes(EXECUTE);
  const writes = executes && returned?.length !== 0 ? [form, "none"] : ["none"];
  if (form === "list") {
    const ignored = applied?.length === 0 && returned?.length === 0;
    return { reads: ignored ? ["none"] : [form, "none"], writes, evidence };
  }
  // On inputs, what is not applied may be a mark that matters to nobody (bazel_tool_input).
  return { reads: [returned === undefined ? form : "some", "inputs", "none"], writes, evidence };
}
