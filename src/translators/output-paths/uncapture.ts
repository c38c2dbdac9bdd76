/** Makes the result that was asked for out of one of captured directories (`capture.ts`). */
import { quoted } from "../action-messages.ts";
import { cutOutputs, linkLists } from "../cut-outputs.ts";
import { declaredBy } from "../declared-outputs.ts";
import { type Output, Outputs, ResultOutputs } from "../output-links.ts";
import type { Edit, Originals, Pair } from "../translator.ts";
import { type Capture, capturesFor } from "./capture.ts";
import { refuseEmptied } from "./emptied.ts";
import { pathsRefusal } from "./feature.ts";

/**
 * The result with the outputs that were asked for in place of the captured directories. What is there already under such a path stays, so that results
 * of clients, and of servers that did as they were asked, are left alone, as is a result whose Command is not known.
 * @throws UpstreamError as `refuseEmptied`; BridgeError where a captured directory is too large or was replaced by a link: what is in it would be lost.
 */
export async function uncaptured(result: Buffer, originals: Originals, pair: Pair): Promise<Edit> {
  const command = await originals.command();
  const found = command === null ? null : capturesFor(command, pair);
  if (found === null || "refused" in found) return null;
  refuseEmptied(result, declaredBy(command), originals);
  const outputs = new ResultOutputs(result);
  const added: Output[] = [];
  const removed = new Set<Output>();
  for (const capture of found.captures) {
    const isWanted = (path: string) => capture.wanted.some((wanted) => wanted.path === path);
    for (const output of outputs.at(capture.path)) {
      if (output.number === Outputs.directories) added.push(...(await cut(output, capture, originals, pair)));
      else if (isLink(output) && !isWanted(output.path)) throw replaced(capture, pair);
      if (!isWanted(output.path)) removed.add(output);
    }
    for (const output of outputs.at(capture.sentinel)) removed.add(output);
  }
  return outputs.edited(
    added.filter(({ path }) => !outputs.has(path)),
    removed,
  );
}

function cut(
  directory: Output,
  { path, wanted }: Capture,
  originals: Originals,
  pair: Pair,
): Promise<readonly Output[]> {
  const refuse = (why: string) =>
    pathsRefusal(`Command.output_paths within the directory ${quoted(path)} ${why}`, pair);
  return cutOutputs(directory, wanted, linkLists(pair, "unified"), originals, refuse);
}

function isLink({ number }: Output): boolean {
  return number !== Outputs.files && number !== Outputs.directories;
}

function replaced({ path }: Capture, pair: Pair): Error {
  return pathsRefusal(
    `Command.output_paths within the directory ${quoted(path)}, in place of which the command left a link`,
    pair,
  );
}
