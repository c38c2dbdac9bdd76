/** Starts the upstream and the bridges, runs loads about actions, and stops everything. */
import { type BridgeSetup, Bridges } from "./bridges.ts";
import type { ActionLoad } from "./loads.ts";
import { type ActionBench, type ActionResult, runActions } from "./runs.ts";
import { Upstream } from "./upstream-process.ts";

/** What all of it needs. */
export interface ActionsSetup extends BridgeSetup, Omit<ActionBench, "upstream" | "bridges" | "dir"> {}

/** Runs the loads and yields the result of each. */
export async function* measureActions(
  setup: ActionsSetup,
  loads: readonly ActionLoad[],
): AsyncGenerator<ActionResult, void, void> {
  const upstream = await Upstream.start(setup.cores.backend);
  try {
    const bridges = await Bridges.start(loads, upstream, setup);
    try {
      for (const load of loads) yield await runActions({ ...setup, upstream, bridges }, load);
    } finally {
      await bridges.stop();
    }
  } finally {
    upstream.stop();
  }
}
