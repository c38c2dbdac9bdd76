/** From what is known of two peers to their plan. */
import { sameWindow, windowOf } from "../peers/api-window.ts";
import type { Dialect } from "../peers/dialect.ts";
import type { ApiWindow } from "../peers/version-rule.ts";
import type { Translator } from "../translators/translator.ts";
import { clientDialect, type KnownClient } from "./known-client.ts";
import type { Plan, Policy } from "./plan.ts";
import { PlanCache } from "./plan-cache.ts";
import { chooseWindow } from "./window.ts";

/** Makes plans, and keeps those it made. */
export class Planner {
  /** In the order of running. */
  readonly translators: readonly Translator[];
  readonly policy: Policy;
  private readonly cache: PlanCache;

  /** `translators` in the order of running. */
  constructor(translators: readonly Translator[], policy: Policy) {
    this.translators = translators;
    this.policy = policy;
    this.cache = new PlanCache(translators, policy);
  }

  /** The plan of a client and a server, with the API versions that this client is told. Pure: the same for equal input. */
  plan(client: KnownClient, server: Dialect<"server">): Plan {
    const versions = this.policy["api-version"] ?? "auto";
    const stated = windowOf(server.facts);
    if (versions === "off") return this.planWith(client, server, stated);
    const window = chooseWindow(client, server, (of, told) => this.planWith(of, server, told));
    return this.planWith(client, server, window);
  }

  private planWith(client: KnownClient, server: Dialect<"server">, window: ApiWindow): Plan {
    const told = sameWindow(window, windowOf(server.facts)) ? {} : { window };
    return this.cache.get({ client: clientDialect(client, window, this.translators), server, ...told });
  }
}
