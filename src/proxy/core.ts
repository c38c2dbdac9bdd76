import type { Config } from "../config/types.ts";
import type { Budget } from "../http2/budget.ts";
import { type Log, logRefusal } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Router } from "./routing/route.ts";

/** What all parts of the proxy share in one thread. */
export class Core {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly budget: Budget;
  readonly log: Log;
  /** Decides how calls travel. */
  readonly router: Router;
  /** The random id that the start-up probe of this bridge carries; a call that comes in with it went in a circle. */
  readonly probeId: string;

  constructor(parts: Pick<Core, "config" | "metrics" | "budget" | "log" | "router" | "probeId">) {
    this.config = parts.config;
    this.metrics = parts.metrics;
    this.budget = parts.budget;
    this.log = parts.log;
    this.router = parts.router;
    this.probeId = parts.probeId;
  }

  /** Counts and logs a call that the bridge itself ends with an error. */
  refused(method: string, code: number, reason: string): void {
    this.metrics.bridge.refusedTotal++;
    logRefusal(this.log, { method, code, reason });
  }
}
