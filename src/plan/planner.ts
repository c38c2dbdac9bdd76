/** From what is known of two peers to their plan. */
import { sameWindow, sensible, sharedWindow, windowOf } from "../peers/api-window.ts";
import type { Dialect } from "../peers/dialect.ts";
import type { ServerFacts } from "../peers/profile.ts";
import type { Version } from "../peers/version-range.ts";
import type { ApiWindow } from "../peers/version-rule.ts";
import { isLevel } from "../spec/versions.ts";
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

  /**
   * The plan of a client and a server, with the API versions that this client is told. `beside` are other servers of the same instance:
   * the client is told what all of them have. Pure: the same for equal input.
   */
  plan(client: KnownClient, server: Dialect<"server">, beside: readonly Dialect<"server">[] = []): Plan {
    const versions = this.policy["api-version"] ?? "auto";
    const stated = windowOf(server.facts);
    if (versions === "off") return this.planWith(client, server, stated);
    const shared = beside.length === 0 ? null : windowOfAll([server, ...beside]);
    const shown = shared === null ? server : { ...server, facts: { ...server.facts, window: shared } };
    const window = chooseWindow(client, shown, (of, told) => this.planWith(of, server, told));
    return this.planWith(client, server, window);
  }

  private planWith(client: KnownClient, server: Dialect<"server">, window: ApiWindow): Plan {
    const told = sameWindow(window, windowOf(server.facts)) ? {} : { window };
    return this.cache.get({ client: clientDialect(client, window, this.translators), server, ...told });
  }
}

/** What a client may be told of servers that serve it together; null if they share no version. */
export function windowOfAll(
  servers: readonly Dialect<"server">[],
): NonNullable<ServerFacts["window"]> | null {
  const windows = servers.map(({ facts, version }) =>
    sensible(windowOf(facts), version !== null && isLevel(version) ? version : null),
  );
  const shared = sharedWindow(windows);
  if (shared === null) return null;
  const text = (version: Version) => version.join(".");
  return {
    ...(shared.deprecated !== null && { deprecated: text(shared.deprecated) }),
    low: text(shared.low),
    high: text(shared.high),
    evidence: "what all upstreams of the instance have",
  };
}
