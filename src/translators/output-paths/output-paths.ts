/** How a Command declares its outputs (D24): two typed lists, or since 2.1 one for all. Either becomes the other. */
import { assumed, byLevel, pass } from "../declare.ts";
import { baseOf, declaredBy, withLists } from "../declared-outputs.ts";
import { ofWrongType } from "../declared-types.ts";
import { fromInputRoot } from "../input-root-paths.ts";
import { of } from "../names.ts";
import { ResultOutputs } from "../output-links.ts";
import type {
  ActionEdit,
  ActionMessages,
  ContentHooks,
  Edit,
  Originals,
  Pair,
  Step,
  Translator,
} from "../translator.ts";
import { type Capturing, capturedName, capturing } from "./capture.ts";
import { refuseEmptied } from "./emptied.ts";
import { OUTPUT_PATHS } from "./feature.ts";
import { uncaptured } from "./uncapture.ts";

const ALIKE = pass("the lists of one command name the same outputs, if there are several");

const toPaths = translate({ action: listsAsPaths, result: ofDeclaredTypes });
const toLists = translate({
  action: pathsAsLists,
  result: uncaptured,
  outputName: (path, { command }, pair) => (takesBoth(pair) ? path : capturedName(path, command, pair)),
});
const toOneKind = translate({ action: ({ command }) => onlyPaths(command) });

/**
 * To a server of output_paths go the union of the typed lists, and on the way back results keep to the declared types. To a server of the typed lists
 * go the directories around the outputs, out of which these are cut afterwards: both lists at once, each with every path, are forbidden, and only a
 * profile can say that a server takes them nevertheless.
 */
export const outputPaths: Translator = {
  feature: OUTPUT_PATHS,
  owns: [
    "behaviour:output-paths-replace",
    ...of("Command", "output_paths", "output_files", "output_directories"),
    ...of("ActionResult", "output_files", "output_directories"),
  ],
  after: ["output-symlinks"],
  clientAhead:
    "the directories around the outputs are captured, and the outputs cut out of them; refused are paths out of the input root, and captured directories of which the Tree is longer than 64 MiB",
  serverAhead:
    "output_paths is the union of the two lists; an output of another type than declared is left out for clients of 2018-11, and refused for later ones, as servers of these lists do",
  support: byLevel({
    element: "build.bazel.remote.execution.v2.Command.output_paths",
    without: { reads: ["lists"], writes: ["lists"] },
    with: { reads: ["paths", "lists"], writes: ["paths", "lists"] },
  }),
  assume: {
    client: assumed(["paths", "lists"], ["paths", "lists"]),
    server: assumed(["lists"], ["lists"]),
  },
  toServer: {
    lists: { paths: toPaths, each: toOneKind },
    paths: { lists: toLists, each: toOneKind },
    each: { lists: ALIKE, paths: ALIKE },
  },
  toClient: pass("a result names its outputs in the same way, however they were declared"),
};

function translate(content: ContentHooks): Step {
  return { kind: "translate", content };
}

/**
 * `""`, the working directory itself, means the same in output_paths: servers that read them look what is there, at that path from the working directory on.
 * Directories that the command counts on are made, if the profile of the client says that it does: servers that read output_directories often make those,
 * and what output_paths names is never made.
 */
function listsAsPaths({ command }: ActionMessages, _: unknown, pair: Pair): ActionEdit | null {
  const { files, directories, paths } = declaredBy(command);
  if (paths.size > 0 || files.size + directories.size === 0) return null;
  const edit = withLists(command, { paths: [...files, ...directories] });
  if (pair.client.facts.outputDirectories?.expected !== true) return { command: edit };
  const base = baseOf(command, pair);
  const needed = [...directories].map((path) => fromInputRoot(base, path) ?? "");
  return { command: edit, directories: needed.filter((path) => path !== "") };
}

/**
 * Of a server that is known to read the older lists by its version only, or by nothing, output_paths stay next to them: servers were seen to read those before
 * they said so, and then return what was asked for.
 */
function pathsAsLists({ command }: ActionMessages, _: unknown, pair: Pair): ActionEdit | null {
  const lists = takesBoth(pair) ? doubled(command) : capturing(command, pair);
  if (lists === null) return null;
  const { source } = pair.server.features["output-paths"]?.evidence ?? { source: "assumed" };
  const isKnown = source !== "assumed" && source !== "advertised";
  return {
    command: withLists(command, isKnown ? lists : { ...lists, paths: declaredBy(command).paths }),
    directories: lists.needed,
  };
}

/** Each path in both lists. Only a directory can be where a path is empty. */
function doubled(command: Buffer): Capturing | null {
  const { files, directories, paths } = declaredBy(command);
  if (paths.size === 0 || files.size + directories.size > 0) return null;
  return { files: [...paths].filter((path) => path !== ""), directories: [...paths], needed: [] };
}

/** Whether the server takes a path that is in both typed lists, and returns what is there. */
function takesBoth({ server }: Pair): boolean {
  return server.facts.outputLists?.both === "accepted";
}

/**
 * The result without outputs of another type than declared. What was stored under the client's own Action stays as it is: a server of these lists would
 * have handed that out as well.
 * @throws BridgeError as `ofWrongType`, UpstreamError as `refuseEmptied`.
 */
async function ofDeclaredTypes(result: Buffer, originals: Originals, pair: Pair): Promise<Edit> {
  const declared = declaredBy(await originals.command());
  if (declared.paths.size > 0) return null;
  refuseEmptied(result, declared, originals);
  if (originals.foreign) return null;
  const outputs = new ResultOutputs(result);
  return outputs.edited([], new Set(ofWrongType(outputs.all, declared, pair)));
}

/** Of a Command with both kinds of lists the newer one. */
function onlyPaths(command: Buffer): ActionEdit | null {
  const { files, directories, paths } = declaredBy(command);
  if (paths.size === 0 || files.size + directories.size === 0) return null;
  return { command: withLists(command, { paths }) };
}
