import type { PeerFacts, Support } from "../peers/dialect.ts";
import { quoted } from "./action-messages.ts";
import { cutOutputs, linkLists, type Wanted } from "./cut-outputs.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { ancestorsOf, baseOf, declaredBy, parentOf, withLists } from "./declared-outputs.ts";
import { ofWrongType } from "./declared-types.ts";
import { fromInputRoot, fromWorkingDirectory } from "./input-root-paths.ts";
import { type Output, Outputs, ResultOutputs } from "./output-links.ts";
import { refusalOf } from "./refusal.ts";
import type { ActionEdit, ActionMessages, Edit, Originals, Pair, Reject, Translator } from "./translator.ts";

/**
 * Outputs within output directories (D29), which servers of July 2018 do not take, nor some later ones in the typed lists. The inner output is not declared
 * to such a server but cut out of the outer directory afterwards; the directories that lead to it are made, as they would have been for it.
 */
export const outputNesting: Translator = {
  feature: {
    id: "output-nesting",
    title: "Outputs within output directories",
    since: "2018-11",
    drift: ["D29"],
    why: "The oldest servers do not take them.",
    forms: {
      forbidden: "no output within another one",
      allowed: "outputs may lie within output directories",
    },
  },
  owns: ["behaviour:nested-outputs"],
  after: ["output-paths"],
  clientAhead: "the inner output is cut out of the outer directory",
  serverAhead: "passes: outputs that do not nest are taken everywhere",
  support: (facts) => (writesPathsOnly(facts) ? FLAT : ofLevel(facts)),
  assume: {
    client: assumed(["allowed", "forbidden"], ["allowed"]),
    server: assumed(["allowed", "forbidden"], ["allowed"]),
  },
  toServer: {
    allowed: { forbidden: { kind: "translate", content: { action: withoutInner, result: withInner } } },
    forbidden: { allowed: pass("outputs that do not nest are taken everywhere") },
  },
  toClient: pass("a result names its outputs one by one, wherever they lie"),
};

const ofLevel = byLevel({
  element: "behaviour:nested-outputs",
  without: { reads: ["forbidden"], writes: ["forbidden"] },
  with: { reads: ["allowed", "forbidden"], writes: ["allowed"] },
});

/** Outputs nest in the typed lists only, where the servers that mind look. */
const FLAT: Support = {
  reads: ["allowed", "forbidden"],
  writes: ["forbidden"],
  evidence: { source: "profile", note: "writes output_paths only" },
};

function writesPathsOnly({ role, claims }: PeerFacts): boolean {
  const writes = claims.find(
    (claim) => claim.feature === "output-paths" && claim.writes !== undefined,
  )?.writes;
  return role === "client" && writes?.every((form) => form === "paths") === true;
}

const REFUSAL: Omit<Reject, "kind" | "uses"> = {
  code: "output-unsupported",
  has: "takes no output within another one, so that it has to be cut out of the outer one",
  fix: "declare the outer directory only, or make it smaller",
};

/** An output that lies in an output directory, as the Command has it. */
interface Inner extends Wanted {
  readonly kind: "file" | "directory";
  /** The outermost one that it lies in. */
  readonly outer: string;
  /** The directory in which it is, from the input root. */
  readonly parent: string;
}

/** The inner outputs in the typed lists of a Command. Where the one list of 2.1 counts, they are none: no server minds them there. */
function innerOf(command: Buffer, pair: Pair): Inner[] {
  const { files, directories, paths } = declaredBy(command);
  const readsPaths = pair.server.features["output-paths"]?.reads.some((form) => form !== "lists") === true;
  if (directories.size === 0 || (paths.size > 0 && readsPaths)) return [];
  const base = baseOf(command, pair);
  const outer = new Map<string, string>();
  for (const path of directories) outer.set(fromInputRoot(base, path) ?? path, path);
  const within = (kind: Inner["kind"]) => (path: string) => {
    const at = fromInputRoot(base, path);
    const around = at === null ? undefined : [...ancestorsOf(at)].find((ancestor) => outer.has(ancestor));
    if (at === null || around === undefined) return [];
    const below = fromWorkingDirectory(around, at);
    return [{ path, kind, below, outer: outer.get(around)!, parent: parentOf(at) }];
  };
  return [...[...files].flatMap(within("file")), ...[...directories].flatMap(within("directory"))];
}

function withoutInner({ command }: ActionMessages, _: unknown, pair: Pair): ActionEdit | null {
  const inner = innerOf(command, pair);
  if (inner.length === 0) return null;
  const dropped = new Set(inner.map(({ path, kind }) => `${kind} ${path}`));
  const { files, directories, paths } = declaredBy(command);
  return {
    command: withLists(command, {
      paths,
      files: [...files].filter((path) => !dropped.has(`file ${path}`)),
      directories: [...directories].filter((path) => !dropped.has(`directory ${path}`)),
    }),
    directories: [...new Set(inner.map(({ parent }) => parent).filter((path) => path !== ""))],
  };
}

/** The result with the inner outputs that it lacks. @throws BridgeError for an outer directory that is too large, or by the rule for types. */
async function withInner(result: Buffer, originals: Originals, pair: Pair): Promise<Edit> {
  const command = await originals.command();
  if (command === null) return null;
  const outputs = new ResultOutputs(result);
  const missing = innerOf(command, pair).filter(({ path }) => !outputs.has(path));
  const byOuter = Map.groupBy(missing, ({ outer }) => outer);
  const added: Output[] = [];
  for (const [outer, inner] of byOuter) {
    const directory = outputs.at(outer).find(({ number }) => number === Outputs.directories);
    if (directory === undefined) continue;
    const wanted = inner.map(({ path, below, kind }): Wanted => ({ path, below, kind }));
    const refuse = (why: string) => tooLarge(outer, why, pair);
    added.push(...(await cutOutputs(directory, wanted, linkLists(pair, "typed"), originals, refuse)));
  }
  const wrong = new Set(ofWrongType(added, declaredBy(command), pair));
  return outputs.edited(added.filter((output) => !wrong.has(output)));
}

function tooLarge(outer: string, why: string, pair: Pair): Error {
  const used = {
    what: `An output within the output directory ${quoted(outer)} ${why}`,
    element: "behaviour:nested-outputs",
    text: "output_directories",
  } as const;
  return refusalOf(outputNesting, REFUSAL, "allowed", used, pair);
}
