import type { Address, Config } from "../config/types.ts";
import { Budget } from "../http2/budget.ts";
import type { Log } from "../observe/log.ts";
import { Metrics, type MetricsSnapshot } from "../observe/metrics.ts";
import { shippedProfiles } from "../peers/read-profile.ts";
import { claimedMethods } from "../plan/claimed-methods.ts";
import { Planner } from "../plan/planner.ts";
import { TRANSLATORS } from "../translators/registry.ts";
import { Core } from "./core.ts";
import { FrontDoor } from "./front-door.ts";
import { ClientPeers } from "./routing/client-peers.ts";
import { PlanRouter } from "./routing/plan-router.ts";
import { FixedRouter, type Router, type Routes } from "./routing/route.ts";
import { RouteTable } from "./routing/route-table.ts";
import { ServerPeer } from "./routing/server-peer.ts";
import { SideLane } from "./side-lane.ts";
import { UpstreamTarget } from "./upstream-target.ts";

/** The upstream of a proxy: the embedded server has an address by now. */
export type ReachableConfig = Config & {
  readonly upstream: Extract<Config["upstream"], { kind: "address" }>;
};

/** Everything that serves calls in one thread. */
export class ProxyThread {
  private readonly core: Core;
  private readonly door: FrontDoor;

  /** Throws a `StartError` if TLS files cannot be used. */
  constructor(config: ReachableConfig, log: Log, probeId: string, routes: Routes | null) {
    const upstream = new UpstreamTarget(config.upstream, config);
    upstream.checkFiles();
    const budget = new Budget(Math.floor(config.limits.bufferBudgetBytes / config.workers));
    const router = routes === null ? planRouter(upstream, log) : new FixedRouter(upstream, routes);
    this.core = new Core({ config, metrics: new Metrics(), budget, log, router, probeId });
    this.door = new FrontDoor(this.core, new SideLane(this.core));
  }

  /** Listens on all of `addresses`; returns them with their real ports. Rejects with a `StartError`. */
  async listen(addresses: readonly Address[], reusePort: boolean): Promise<Address[]> {
    const listening: Address[] = [];
    for (const address of addresses) listening.push(await this.door.listen(address, reusePort));
    return listening;
  }

  /** The counts of this thread. */
  snapshot(): MetricsSnapshot {
    const { metrics, budget } = this.core;
    metrics.bridge.budgetHeld = budget.used;
    metrics.bridge.budgetLimit = budget.limit;
    return metrics.snapshot();
  }

  /** Accepts nobody any more, asks clients to leave, resolves when the last one has. */
  drain(): Promise<void> {
    return this.door.drain();
  }

  /** Ends the connections that are left. */
  cut(): void {
    this.door.cut();
  }
}

function planRouter(upstream: UpstreamTarget, log: Log): Router {
  return new PlanRouter({
    table: RouteTable.to(new ServerPeer(upstream, null, log)),
    planner: new Planner(TRANSLATORS, {}),
    clients: new ClientPeers(shippedProfiles()),
    clientRules: [],
    claimed: claimedMethods(TRANSLATORS),
  });
}
