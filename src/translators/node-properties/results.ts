/** Puts the attributes of outputs into the form that the client reads: those of files and links in the result, and all in output directories (D31). */
import { joined, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { Outputs } from "../output-links.ts";
import { editOutputDirectories, type OutputDirectoryRule } from "../output-trees.ts";
import type { Edit, Originals } from "../translator.ts";
import { dropFromOutput, moveToDirectories, propertiesOfOutput } from "./early-places.ts";
import { directoryWith, moveProperties, nameOf, PLACES, type Place } from "./nodes.ts";
import { namesAsked } from "./requests.ts";
import type { Fail, Nodes } from "./values.ts";

/** Places by the field of ActionResult. */
const OUTPUTS: Readonly<Record<number, Place>> = {
  [Outputs.files]: PLACES.outputFile,
  [Outputs.fileLinks]: PLACES.outputSymlink,
  [Outputs.directoryLinks]: PLACES.outputSymlink,
  [Outputs.links]: PLACES.outputSymlink,
};

/**
 * The result with all attributes in the form `to`; null if none is in the other. Output directories are read for it, and stored again where they change. An
 * action that is known to ask for no attributes has none in its result, or such as its client does not look at, so that nothing is read for it.
 * @throws what `fail` throws; UpstreamError where a Tree cannot be read or stored; WireError for broken bytes.
 */
export async function resultWith(result: Buffer, originals: Originals, to: Nodes, fail: Fail): Promise<Edit> {
  if (await asksForNothing(originals)) return null;
  const own = rewriteMessage(new Walker(result), (field, out) => {
    const place = field.wireType === WireType.LEN ? OUTPUTS[field.number] : undefined;
    return place === undefined ? "keep" : moveProperties(field, out, place, to, fail);
  });
  const current = joined(own, result);
  const rule = (output: Buffer) => ruleOf(output, originals, to, fail);
  return (await editOutputDirectories(current, originals, rule)) ?? own;
}

async function asksForNothing(originals: Originals): Promise<boolean> {
  const [action, command] = [await originals.action(), await originals.command()];
  if (action === null || command === null) return false;
  return (["action", "command"] as const).every(
    (asks) => namesAsked({ action, command }, { asks }).length === 0,
  );
}

function ruleOf(output: Buffer, { digestOf }: Originals, to: Nodes, fail: Fail): OutputDirectoryRule {
  const key = `node-properties ${to}`;
  const path = JSON.stringify(nameOf(new Walker(output)));
  const within: Fail = (attribute, why) => fail(`${attribute} in ${path}`, why);
  if (to === "list") return { key, edit: () => (directory) => directoryWith(directory, to, within) };
  // Only peers that write lists may have them in the early places.
  const early = propertiesOfOutput(output);
  return {
    key: [key, ...early.map((pair) => pair.toString("base64"))].join(" "),
    edit: (tree) => {
      const move = moveToDirectories(tree, early, digestOf, within);
      return (directory) => {
        const moved = move?.(directory) ?? null;
        const there = joined(moved, directory);
        return directoryWith(there, to, within) ?? moved;
      };
    },
    ...(early.length > 0 && {
      output: (bytes: Buffer) => rewriteMessage(new Walker(bytes), dropFromOutput),
    }),
  };
}
