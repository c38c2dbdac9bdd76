import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Edit, Originals, Translator } from "./translator.ts";
import { findUse } from "./uses.ts";

/** Field numbers of ActionResult, and of output_directories in Command. */
const FILE_LINKS = 10;
const DIRECTORY_LINKS = 11;
const LINKS = 12;
const OUTPUT_DIRECTORIES = 4;

const EITHER = pass("both kinds of lists are filled");

/**
 * The lists of symlinks in a result (D25): one for files and one for directories, or since 2.1 one for all. What the client reads is added to what the
 * server filled in; nothing is taken away, and digests do not change.
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
    },
  },
  owns: [
    ...of("ActionResult", "output_file_symlinks", "output_directory_symlinks", "output_symlinks"),
    ...of("OutputSymlink", "path", "target"),
  ],
  after: [],
  clientAhead: "output_symlinks is made of the typed lists",
  serverAhead: "the typed lists are made of output_symlinks",
  support: byLevel({
    element: "build.bazel.remote.execution.v2.ActionResult.output_symlinks",
    without: { reads: ["typed", "both"], writes: ["typed"] },
    with: { reads: ["unified", "both"], writes: ["unified"] },
  }),
  assume: {
    client: assumed(["both"], ["unified"]),
    server: assumed(["typed", "unified", "both"], ["typed", "unified"]),
  },
  toServer: pass("a result that a client stores is read by clients only, and gets its other lists then"),
  toClient: {
    typed: { unified: addUnified(), both: addUnified() },
    unified: { typed: addTyped(), both: addTyped() },
    both: { typed: EITHER, unified: EITHER },
  },
};

function addUnified() {
  return { kind: "translate", content: { result: (result: Buffer) => unify(result) } } as const;
}

function addTyped() {
  const result = (message: Buffer, originals: Originals): Promise<Edit> => type(message, originals);
  return { kind: "translate", content: { result } } as const;
}

interface Link {
  readonly number: number;
  readonly path: string;
  readonly bytes: Buffer;
}

function unify(result: Buffer): Edit {
  const links = linksOf(result);
  const there = pathsIn(links, LINKS);
  const missing = links.filter(({ number, path }) => number !== LINKS && !there.has(path));
  return withLinks(result, links, LINKS, unique(missing));
}

/** Where the Command is not known, or says nothing, a link counts as one to a file. */
async function type(result: Buffer, originals: Originals): Promise<Edit> {
  const links = linksOf(result);
  const there = new Set([...pathsIn(links, FILE_LINKS), ...pathsIn(links, DIRECTORY_LINKS)]);
  const missing = links.filter(({ number, path }) => number === LINKS && !there.has(path));
  if (missing.length === 0) return null;
  const command = await originals.command();
  const isDirectory = ({ path }: Link): boolean => command !== null && declaresDirectory(command, path);
  const files = unique(missing.filter((link) => !isDirectory(link)));
  const directories = unique(missing.filter(isDirectory));
  const first = withLinks(result, links, FILE_LINKS, files);
  const then = withLinks(first === null ? result : Buffer.concat(first), links, DIRECTORY_LINKS, directories);
  return then ?? first;
}

/** The result with `added` in the list `number`, sorted by path as every list of outputs; null if there is nothing to add. */
function withLinks(result: Buffer, links: readonly Link[], number: number, added: readonly Link[]): Edit {
  if (added.length === 0) return null;
  const list = [...links.filter((link) => link.number === number), ...added];
  list.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  return rewriteMessage(
    new Walker(result),
    (field) => (field.number === number && field.wireType === WireType.LEN ? "drop" : "keep"),
    (out) => {
      for (const { bytes } of list) out.bytes(number, bytes);
    },
  );
}

function linksOf(result: Buffer): Link[] {
  const links: Link[] = [];
  const field = new Walker(result);
  while (field.next()) {
    const { number } = field;
    if (number < FILE_LINKS || number > LINKS || field.wireType !== WireType.LEN) continue;
    links.push({ number, path: pathOf(field.enter()), bytes: field.bytes() });
  }
  return links;
}

function pathOf(link: Walker): string {
  let path = "";
  while (link.next()) if (link.number === 1) path = link.text();
  return path;
}

function pathsIn(links: readonly Link[], number: number): Set<string> {
  return new Set(links.filter((link) => link.number === number).map(({ path }) => path));
}

function unique(links: readonly Link[]): Link[] {
  return [...new Map(links.map((link) => [link.path, link])).values()];
}

function declaresDirectory(command: Buffer, path: string): boolean {
  const holds = (payload: Buffer): boolean => payload.toString() === path;
  const use = { what: "", element: null, text: null, path: [OUTPUT_DIRECTORIES], holds };
  return findUse(command, [use]) !== null;
}
