import type { Config, Upstream } from "../../src/config/types.ts";
import { type ConfigParts, configFor } from "./bridge.ts";

/** A route as a test writes it. */
export interface RouteDraft {
  readonly upstream: string;
  readonly services?: readonly string[];
  readonly instance?: string;
  readonly rename?: string;
}

/** The parts of a configuration that route calls to several upstreams, given by name as `host:port`. */
export function routed(
  upstreams: Readonly<Record<string, string>>,
  routes: readonly RouteDraft[],
  profiles: Readonly<Record<string, string>> = {},
): ConfigParts {
  const remotes = Object.entries(upstreams).map(([name, address]): [string, Upstream] => [
    name,
    { ...configFor(address).upstream, profile: profiles[name] ?? null },
  ]);
  const all: Config["routes"] = routes.map(({ upstream, services, instance = "", rename }) => ({
    upstream,
    services: services ?? null,
    instance,
    rename: rename ?? null,
  }));
  return { upstreams: Object.fromEntries(remotes), routes: all };
}
