import type { Address, ReachableConfig } from "../config/types.ts";
import { Budget } from "../http2/budget.ts";
import type { Log } from "../observe/log.ts";
import { Metrics, type MetricsSnapshot } from "../observe/metrics.ts";
import { Core } from "./core.ts";
import { FrontDoor } from "./front-door.ts";
import { makeRouter } from "./routing/make-router.ts";
import { FixedRouter, type Router, type Routes } from "./routing/route.ts";
import { SideLane } from "./side-lane.ts";
import { UpstreamTarget } from "./upstream-target.ts";

/** Everything that serves calls in one thread. */
export class ProxyThread {
  private readonly core: Core;
  private readonly door: FrontDoor;

  /** Throws a `StartError` if TLS files cannot be used. */
  constructor(config: ReachableConfig, log: Log, probeId: string, routes: Routes | null) {
    const budget = new Budget(Math.floor(config.limits.bufferBudgetBytes / config.workers));
    const router = routes === null ? makeRouter(config, log) : fixedRouter(config, routes);
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

function fixedRouter(config: ReachableConfig, routes: Routes): Router {
  const upstream = new UpstreamTarget(config.upstream, config);
  upstream.checkFiles();
  return new FixedRouter(upstream, routes);
}
