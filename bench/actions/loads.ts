/** What is called, in which state of the bridge. */
import { type Case, SMALL, TREES } from "./cases.ts";
import type { CallKind } from "./messages.ts";

/**
 * What the bridge has seen before: nothing of the action (`cold`), nothing but its tree (`tree`), or all of it (`warm`).
 */
type State = "cold" | "tree" | "warm";

/** One row: actions of a case, in a state. */
export interface Variant {
  readonly name: string;
  readonly case: Case;
  readonly state: State;
  /** Files in the input tree of each action; 0 for an empty one. */
  readonly files: number;
  /** The build of the bridge; null for this one. */
  readonly build: string | null;
}

/** One table: variants that are measured in turns. */
export interface ActionLoad {
  readonly id: string;
  readonly title: string;
  readonly call: CallKind;
  readonly inflight: number;
  readonly variants: readonly Variant[];
}

/** Sizes of trees, in files. */
export const SIZES: readonly number[] = [200, 2_000, 20_000];

function small(build: string | null): Variant[] {
  return SMALL.flatMap((each) =>
    statesOf(each).map((state) => ({ ...named(each, build, state), case: each, state, files: 0, build })),
  );
}

function trees(build: string | null, sizes: readonly number[]): Variant[] {
  return TREES.flatMap((each): Variant[] => {
    if (each.name !== "tree") return [{ ...named(each, build), case: each, state: "warm", files: 0, build }];
    const states: readonly State[] = ["cold", "tree", "warm"];
    return sizes.flatMap((files) =>
      states.map((state) => ({
        ...named(each, build, files.toLocaleString("en"), LABELS[state]),
        ...{ case: each, state, files, build },
      })),
    );
  });
}

const LABELS: Readonly<Record<State, string>> = { cold: "cold", tree: "new action", warm: "warm" };

/** Where nothing is remembered, there is nothing to tell apart. */
function statesOf({ peers, name }: Case): readonly State[] {
  return peers === null || name === "relay" ? ["warm"] : ["cold", "warm"];
}

function named({ name, peers }: Case, build: string | null, ...more: string[]): { readonly name: string } {
  const only = name === "relay" || peers === null ? [name] : [name, ...more];
  return { name: [...only, ...(build === null ? [] : [`(${build})`])].join(" ") };
}

/** Ids of all loads, in the order of the report. */
export const ACTION_LOADS = [
  "execute-1",
  "execute-50",
  "look-up-1",
  "look-up-50",
  "execute-tree",
  "look-up-tree",
] as const;

const TITLES: Readonly<Record<(typeof ACTION_LOADS)[number], string>> = {
  "execute-1": "Execute, one in flight",
  "execute-50": "Execute, 50 in flight",
  "look-up-1": "GetActionResult, one in flight",
  "look-up-50": "GetActionResult, 50 in flight",
  "execute-tree": "Execute with an input tree, one in flight",
  "look-up-tree": "GetActionResult with an input tree, one in flight",
};

/** The loads of these ids, for this build and others, with trees of these sizes. */
export function actionLoads(
  ids: readonly string[],
  builds: readonly string[],
  sizes: readonly number[],
): ActionLoad[] {
  const all = [null, ...builds];
  return ACTION_LOADS.filter((id) => ids.includes(id)).map((id) => {
    const variants = all.flatMap((build) => (id.endsWith("tree") ? trees(build, sizes) : small(build)));
    return {
      ...{ id, title: TITLES[id] },
      call: id.startsWith("execute") ? "execute" : "lookUp",
      inflight: id.endsWith("50") ? 50 : 1,
      // Without a bridge there is nothing that builds differ in.
      variants: variants.filter((variant) => variant.build === null || variant.case.peers !== null),
    };
  });
}
