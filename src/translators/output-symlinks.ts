import { assumed, byLevel, pass } from "./declare.ts";
import { declaredBy } from "./declared-outputs.ts";
import { of } from "./names.ts";
import { type Output, Outputs, ResultOutputs, renamed } from "./output-links.ts";
import type { Edit, Originals, Pair, Step, Translator } from "./translator.ts";

const { files, directories, fileLinks, directoryLinks, links } = Outputs;

const EITHER = pass("both kinds of lists are filled");
const NONE = pass("a server that fills none of the lists follows the links");

/**
 * The lists of symlinks in a result (D25): one for files and one for directories, or since 2.1 one for all. What the client reads is added to what the
 * server filled in; nothing is taken away, and digests do not change. A client that reads none of the lists gets the output that a link leads to
 * under the path of the link, if it asked for that path.
 */
export const outputSymlinks: Translator = {
  feature: {
    id: "output-symlinks",
    title: "Lists of symlinks among outputs",
    since: "2.1",
    drift: ["D25"],
    why: "A client that reads the other list loses the symlinks, without an error.",
    forms: {
      typed: "output_file_symlinks and output_directory_symlinks",
      unified: "output_symlinks",
      both: "the typed lists and the unified one",
      declared: "the list that goes with how the command declares its outputs, since there are two ways",
      none: "no list at all, from before September 2018 or because the client does not read it",
    },
  },
  owns: [
    ...of("ActionResult", "output_file_symlinks", "output_directory_symlinks", "output_symlinks"),
    ...of("OutputSymlink", "path", "target"),
  ],
  after: ["empty-output-directories"],
  clientAhead: "output_symlinks is made of the typed lists",
  serverAhead:
    "the typed lists are made of output_symlinks; for a client that reads none, links are followed among the outputs",
  support: byLevel({
    element: "build.bazel.remote.execution.v2.ActionResult.output_symlinks",
    without: { reads: ["typed", "both"], writes: ["typed"] },
    with: { reads: ["declared", "unified", "both"], writes: ["declared"] },
  }),
  assume: {
    client: assumed(["both"], ["unified"]),
    server: assumed(["typed", "unified", "both"], ["typed", "unified"]),
  },
  toServer: pass("a result that a client stores is read by clients only, and gets its other lists then"),
  toClient: {
    typed: {
      unified: results(unify),
      both: results(unify),
      declared: results(unify),
      none: results(follow),
    },
    unified: { typed: results(type), both: results(type), declared: results(type), none: results(follow) },
    both: { typed: EITHER, unified: EITHER, declared: EITHER, none: results(follow) },
    declared: { typed: results(type), unified: results(unify), both: results(fill), none: results(follow) },
    none: { typed: NONE, unified: NONE, both: NONE, declared: NONE },
  },
};

function results(result: (message: Buffer, originals: Originals, pair: Pair) => Edit | Promise<Edit>): Step {
  return { kind: "translate", content: { result } };
}

/** Adds to the one list what the typed ones have. */
function unify(result: Buffer): Edit {
  const outputs = new ResultOutputs(result);
  return outputs.edited(outputs.missing([fileLinks, directoryLinks], [links]).map(inList(links)));
}

/** Adds to each what the other kind of lists has. */
async function fill(result: Buffer, originals: Originals): Promise<Edit> {
  const unified = unify(result);
  const whole = unified === null ? result : Buffer.concat(unified);
  return (await type(whole, originals)) ?? unified;
}

/**
 * Adds to the typed lists what the one list has. A link is of the kind that the Command declares for its path, else of the kind of the output it leads to;
 * where neither tells, it counts as one to a file.
 */
async function type(result: Buffer, originals: Originals): Promise<Edit> {
  const outputs = new ResultOutputs(result);
  const missing = outputs.missing([links], [fileLinks, directoryLinks]);
  if (missing.length === 0) return null;
  const declared = declaredBy(await originals.command());
  const isDirectory = (link: Output): boolean => {
    if (declared.directories.has(link.path)) return true;
    if (declared.files.has(link.path)) return false;
    return outputs.targetOf(link)?.number === directories;
  };
  return outputs.edited(missing.map((link) => inList(isDirectory(link) ? directoryLinks : fileLinks)(link)));
}

/**
 * Adds the outputs that links lead to, under the paths of the links. Only what the Command declares is added, and no file where the client takes one that
 * it did not ask for as an error, as long as it may have meant a directory.
 */
async function follow(result: Buffer, originals: Originals, { client }: Pair): Promise<Edit> {
  const outputs = new ResultOutputs(result);
  const missing = outputs.missing([fileLinks, directoryLinks, links], [files, directories]);
  if (missing.length === 0) return null;
  const declared = declaredBy(await originals.command());
  const strict = client.facts.results?.unaskedFiles === "fatal";
  const followed = (number: number, asked: (path: string) => boolean): Output[] =>
    missing.flatMap((link) => {
      const target = outputs.targetOf(link);
      return target?.number === number && asked(link.path) ? [renamed(target, link.path)] : [];
    });
  return outputs.edited([
    ...followed(files, (path) => declared.files.has(path) || (declared.paths.has(path) && !strict)),
    ...followed(directories, (path) => declared.directories.has(path) || declared.paths.has(path)),
  ]);
}

/** The same link in another list. */
function inList(number: number): (link: Output) => Output {
  return (link) => ({ ...link, number });
}
