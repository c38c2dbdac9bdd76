/** What happens to each form of node properties where another is read: one rule for all pairs of forms. */
import { pass } from "../declare.ts";
import type { ContentHooks, Edit, Reject, Step } from "../translator.ts";
import { namesOfChildren } from "./early-places.ts";
import { FEATURE, FORMS, type Form } from "./forms.ts";
import { directoryWith } from "./nodes.ts";
import {
  failInInput,
  failInOutput,
  inDirectories,
  inRequests,
  isLacking,
  refusal,
  returnedBy,
} from "./refusals.ts";
import { type Asking, moveRequest } from "./requests.ts";
import { resultWith } from "./results.ts";
import type { Fail, Nodes } from "./values.ts";

/** A form by its name; null for `none`. */
type Named = readonly [name: string, form: Form | null];

/** The table of all steps that `step` makes of two forms. */
export function steps(step: (from: Named, to: Named) => Step): Record<string, Record<string, Step>> {
  const forms = Object.keys(FEATURE.forms).map((name): Named => [name, FORMS[name] ?? null]);
  const row = (from: Named) => forms.filter((to) => to !== from).map((to) => [to[0], step(from, to)]);
  return Object.fromEntries(forms.map((from) => [from[0], Object.fromEntries(row(from))]));
}

const NOTHING = pass("there is nothing to express");
const THE_SAME = pass("a reader of the one form reads the other as well");
const UNASKED = pass("a client that asks for properties is refused; those it did not ask for it may ignore");

/** What the client writes: its request moves where another place, or other names, are read, its nodes where they have another form. */
export function toServer([name, from]: Named, [, to]: Named): Step {
  if (from === null) return NOTHING;
  if (to === null) {
    const fix = "drop the attributes and the request for them, or use an upstream that has them";
    return refusal("drops attributes", fix, [...inRequests(from), ...inDirectories(from)]);
  }
  const refuse = refusalOfRequest(from, to);
  const content = hooks(name, from, to);
  if (content !== null) return { kind: "translate", content, ...(refuse && { refuse }) };
  return refuse ?? THE_SAME;
}

/** What the server writes: outputs with attributes. */
export function toClient([name, from]: Named, [, to]: Named): Step {
  if (from === null) return NOTHING;
  if (to === null || to.asks === null) return UNASKED;
  if (from.nodes === to.nodes) return THE_SAME;
  const { nodes } = to;
  return {
    kind: "translate",
    content: {
      result: (result, originals, pair) =>
        resultWith(result, originals, nodes, failInOutput(name, nodes, pair)),
    },
  };
}

/** The parts of D30 and of D31 that two forms need. */
function hooks(name: string, from: Form, to: Form): ContentHooks | null {
  const asked = askingIn(from);
  const wanted = askingIn(to);
  const moves =
    asked !== null && wanted !== null && (asked.asks !== wanted.asks || asked.nodes !== wanted.nodes);
  const { nodes } = to;
  if (!moves && from.nodes === nodes) return null;
  return {
    ...(moves && { action: (given) => moveRequest(given, asked, wanted) }),
    ...(from.nodes !== nodes && {
      directory: (directory, pair) => rewritten(directory, nodes, failInInput(name, nodes, pair)),
    }),
  };
}

function askingIn({ nodes, asks }: Form): Asking | null {
  return asks === null ? null : { asks, nodes };
}

function rewritten(directory: Buffer, to: Nodes, fail: Fail): Edit {
  if (to === "message" && namesOfChildren(directory))
    fail("node_properties of a DirectoryNode", "since November 2019 they stand in the directory itself");
  return directoryWith(directory, to, fail);
}

/** The refusal of what is asked for and does not come back; null where that cannot be. */
function refusalOfRequest(from: Form, to: Form): Reject | null {
  const fix = "drop the request for them, or use an upstream that returns them";
  if (to.asks === null)
    return from.asks === null ? null : refusal("returns no attributes of outputs", fix, inRequests(from));
  if (to.some !== true || from.asks === null) return null;
  return refusal(returnedBy, fix, inRequests(from, isLacking));
}
