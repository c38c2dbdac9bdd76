import type { Config } from "../config/types.ts";
import type { Budget } from "../http2/budget.ts";
import { type Log, logRefusal } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Routes } from "./messages/route.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

/** What all parts of the proxy share in one thread. */
export class Core {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly budget: Budget;
  readonly log: Log;
  readonly upstream: UpstreamTarget;
  /** The methods that are not simply relayed. */
  readonly routes: Routes;
  /** The random id that the start-up probe of this bridge carries; a call that comes in with it went in a circle. */
  readonly probeId: string;

  constructor(
    parts: Pick<Core, "config" | "metrics" | "budget" | "log" | "upstream" | "routes" | "probeId">,
  ) {
    this.config = parts.config;
    this.metrics = parts.metrics;
    this.budget = parts.budget;
    this.log = parts.log;
    this.upstream = parts.upstream;
    this.routes = parts.routes;
    this.probeId = parts.probeId;
  }

  /** Counts and logs a call that the bridge itself ends with an error. */
  refused(method: string, code: number, reason: string): void {
    this.metrics.bridge.refusedTotal++;
    logRefusal(this.log, { method, code, reason });
  }
}
