/** The part of a profile that is about actions and their results. */
import type { ResolvedServer } from "../../peers/profile.ts";
import { knows, since } from "../../spec/ledger.ts";
import { compareLevels, type Level } from "../../spec/versions.ts";
import { Status } from "../../wire/status.ts";
import type { ActionRules, NodeAttribute, OutputRules } from "./behaviour.ts";
import { allowsAbsolute, type ServerSetup } from "./setup.ts";

type Features = ResolvedServer["features"];

/** What the server reads of actions, and how it runs them. */
export function actionRules(
  { facts, features }: ResolvedServer,
  setup: ServerSetup,
  level: Level,
  base: ActionRules,
): ActionRules {
  const { platformMatch, platformProperties, missingInputs, execution } = facts;
  const from = features["action-platform"]?.reads;
  const outputs = features["output-paths"]?.reads;
  return {
    platform: {
      from:
        from === undefined
          ? base.platform.from
          : (["action", "command"] as const).filter((at) => from.includes(at)),
      by: platformMatch?.by ?? base.platform.by,
      worker: setup.worker,
      names: platformProperties?.are ?? [],
      otherwise: platformMatch?.otherwise === "precondition-invalid" ? "invalid" : "text",
    },
    readsLists: outputs?.some((form) => form !== "paths") ?? base.readsLists,
    readsPaths: outputs?.some((form) => form !== "lists") ?? base.readsPaths,
    readsDirectoryFormat:
      features["output-directory-format"]?.reads?.some((form) => form !== "tree") ??
      base.readsDirectoryFormat,
    sortedLists: facts.sortedLists?.required ?? base.sortedLists,
    readsEachList: outputs?.includes("each") ?? base.readsEachList,
    takesBothLists: facts.outputLists?.both === "accepted",
    strictFields: reads(features, "strict-canonical", "strict") ?? base.strictFields,
    makes: {
      parents: reads(features, "output-parents", "created") ?? base.makes.parents,
      directories: facts.outputDirectories?.made ?? base.makes.directories,
    },
    mergesUncached: negated(reads(features, "uncached-actions", "apart")) ?? base.mergesUncached,
    // No level tells: most servers worked by the newer rule before it was written down.
    programBase: baseOf(features, "argv0") ?? "working-directory",
    outputBase: baseOf(features, "output-base") ?? base.outputBase,
    cacheLookup: execution?.cacheLookup ?? base.cacheLookup,
    stream: execution?.stream ?? base.stream,
    missing: {
      as: missingInputs?.as ?? base.missing.as,
      of: missingInputs?.of ?? base.missing.of,
      inResponse: missingInputs?.inResponse ?? base.missing.inResponse,
    },
    symlinks: facts.inputSymlinks?.made ?? base.symlinks,
    absoluteSymlinks: allowsAbsolute(facts, setup),
    // Nor is any server known to have insisted.
    strictTargets: negated(reads(features, "input-symlinks", "lenient")) ?? false,
    applied: readsForm(features["node-properties"]?.reads, level)
      ? attributes(facts.nodeAttributes?.applied, base.applied)
      : [],
  };
}

/** Whether the server reads a form; undefined if the profile does not say. */
function reads(features: Features, feature: keyof Features, form: string): boolean | undefined {
  return features[feature]?.reads?.includes(form);
}

function negated(claim: boolean | undefined): boolean | undefined {
  return claim === undefined ? undefined : !claim;
}

/** Of a server that reads both, a client cannot rely on the older one. */
function baseOf(features: Features, feature: "argv0" | "output-base") {
  const reads = features[feature]?.reads;
  if (reads === undefined) return undefined;
  return reads.includes("working-directory") ? "working-directory" : "input-root";
}

/** Forms of node properties by how nodes carry them. */
const CARRIED = { message: ["message", "inputs", "some"], list: ["list", "2020-03"] } as const;

/** Whether the forms of node properties have one in which nodes are as the level has them. */
function readsForm(forms: readonly string[] | undefined, level: Level): boolean {
  const form = knows(level, "build.bazel.remote.execution.v2.FileNode.node_properties") ? "message" : "list";
  return forms?.some((one) => CARRIED[form].some((other) => other === one)) ?? true;
}

function attributes(stated: readonly string[] | undefined, base: readonly NodeAttribute[]) {
  return stated === undefined ? base : base.filter((attribute) => stated.includes(attribute));
}

/** How the server tells results. */
export function outputRules(
  { facts, features }: ResolvedServer,
  level: Level,
  base: OutputRules,
): OutputRules {
  const { outputLinks, outputTypes, nodeAttributes, inlineOutputs } = facts;
  const symlinkLists = symlinkListsOf(features["output-symlinks"]?.writes) ?? base.symlinkLists;
  const directories = directoriesOf(features["output-directory-format"]?.writes) ?? base.directories;
  const names = features["digest-function-field"]?.writes?.includes("set");
  return {
    resultLevel: newest(
      level,
      ...(features["output-symlinks"]?.writes?.some((form) => form !== "typed")
        ? [since("build.bazel.remote.execution.v2.ActionResult.output_symlinks")]
        : []),
      ...(directories === "tree-and-asked" || directories === "directory"
        ? [since("build.bazel.remote.execution.v2.OutputDirectory.root_directory_digest")]
        : []),
    ),
    metadataLevel: names
      ? newest(level, since("build.bazel.remote.execution.v2.ExecuteOperationMetadata.digest_function"))
      : level,
    namesFunction: names ?? base.namesFunction,
    symlinkLists,
    links: outputLinks?.are ?? base.links,
    dangling: outputLinks?.dangling ?? (outputLinks?.are === "followed" ? "dropped" : base.dangling),
    refusesNesting: negated(reads(features, "output-nesting", "allowed")) ?? base.refusesNesting,
    wrongType: wrongTypeOf(outputTypes) ?? base.wrongType,
    directories,
    returned: readsForm(features["node-properties"]?.writes, level)
      ? attributes(nodeAttributes?.returned, base.returned)
      : [],
    refusesUnknownProperties: false,
    inlineBytes: inlineOutputs?.are === "never" ? 0 : (inlineOutputs?.mostBytes ?? base.inlineBytes),
    inlinesStreams: inlineOutputs === undefined && base.inlinesStreams,
  };
}

function wrongTypeOf(fact: ResolvedServer["facts"]["outputTypes"]): OutputRules["wrongType"] | undefined {
  if (fact === undefined) return undefined;
  return fact.otherwise === "refused" ? Status[fact.status ?? "FAILED_PRECONDITION"] : fact.otherwise;
}

function symlinkListsOf(writes: readonly string[] | undefined): OutputRules["symlinkLists"] | undefined {
  if (writes?.includes("both")) return "both";
  if (writes?.includes("declared")) return "as-declared";
  const unified = writes?.includes("unified");
  if (writes?.includes("typed")) return unified ? "as-declared" : "typed";
  return unified ? "unified" : undefined;
}

function directoriesOf(writes: readonly string[] | undefined): OutputRules["directories"] | undefined {
  if (writes?.includes("both")) return "tree-and-asked";
  const directory = writes?.includes("directory");
  if (writes?.includes("tree")) return directory ? "tree-and-asked" : "tree";
  return directory ? "directory" : undefined;
}

function newest(...levels: readonly [Level, ...Level[]]): Level {
  return levels.toSorted(compareLevels).at(-1)!;
}
