/** What the configuration means: the names in it looked up in the profiles and features. */
import { takesAll } from "../config/check-routes.ts";
import { StartError } from "../config/start-error.ts";
import { type Address, type Config, DEFAULT_UPSTREAM, type Route, type Upstream } from "../config/types.ts";
import type { ResolvedClient, ResolvedProfile, ResolvedServer } from "../peers/profile.ts";
import type { ProfileCatalogue } from "../peers/profile-catalogue.ts";
import { peerFacts } from "../peers/profile-facts.ts";
import { loadProfiles } from "../peers/read-profile.ts";
import { TRANSLATORS } from "../translators/registry.ts";
import { resolveDialect } from "../translators/resolve-dialect.ts";
import type { Translator } from "../translators/translator.ts";
import type { Policy } from "./plan.ts";
import { readPolicy } from "./policy.ts";

/** What the clients are whose calls arrive at a listener, for an instance name. */
interface ClientSetting {
  /** One of `Config.listen`; null for all. */
  readonly listen: Address | null;
  /** The whole segments that the instance name begins with; empty for every one. */
  readonly instance: string;
  readonly profile: ResolvedClient;
}

/** What the configuration means. Each thread reads its own: a catalogue does not go from one to another. */
export interface Settings {
  /** The shipped profiles and the operator's. */
  readonly catalogue: ProfileCatalogue;
  readonly policy: Policy;
  /**
   * What each upstream is that calls can go to, by name: the keys of `Config.upstreams`, and {@link DEFAULT_UPSTREAM} for `Config.upstream`
   * if a route leads there. Null where the bridge has to tell.
   */
  readonly servers: ReadonlyMap<string, ResolvedServer | null>;
  /** The first that takes a call counts; the last one takes all. */
  readonly routes: readonly Route[];
  /** The first that matches a call says what its client is; without one the call tells. `Config.clientProfile` is the last. */
  readonly clients: readonly ClientSetting[];
}

/**
 * Looks up the names in a configuration.
 * @throws StartError of kind `config` with all that is wrong, a line each: profiles that cannot be used, names that do not exist, claims
 * of profiles about features or forms that do not exist.
 */
export function readSettings(config: Config, translators: readonly Translator[] = TRANSLATORS): Settings {
  const reader = new Reader(config, translators);
  const policy = reader.policy();
  const catalogue = reader.catalogue();
  const settings = catalogue && {
    catalogue,
    policy,
    ...reader.peers(catalogue),
    routes: withLast(config.routes),
  };
  if (reader.problems.length > 0 || settings === null) {
    throw new StartError("config", reader.problems.join("\n"));
  }
  return settings;
}

function withLast(routes: readonly Route[]): readonly Route[] {
  if (routes.some(takesAll)) return routes;
  return [...routes, { services: null, instance: "", upstream: DEFAULT_UPSTREAM, rename: null }];
}

class Reader {
  readonly problems: string[] = [];
  private readonly config: Config;
  private readonly translators: readonly Translator[];

  constructor(config: Config, translators: readonly Translator[]) {
    this.config = config;
    this.translators = translators;
  }

  policy(): Policy {
    const entries = Object.entries(this.config.policy);
    const read = entries.map(([id, value]) =>
      this.attempt(`policy.${id}`, () => readPolicy({ [id]: value }, this.translators)),
    );
    return Object.assign({}, ...read.filter((one) => one !== null));
  }

  catalogue(): ProfileCatalogue | null {
    const { profiles } = this.config;
    try {
      const catalogue = loadProfiles(profiles);
      // The claims of shipped ones hold by a test.
      if (profiles.length > 0) for (const profile of all(catalogue)) this.checkClaims("profiles", profile);
      return catalogue;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      this.problems.push(error.message);
      return null;
    }
  }

  peers(catalogue: ProfileCatalogue): Pick<Settings, "servers" | "clients"> {
    const { upstream, upstreams, routes, clients, clientProfile } = this.config;
    const server = (key: string, name: string | null) =>
      name === null ? null : this.attempt(key, () => catalogue.resolve("server", name));
    const reached = withLast(routes).some((route) => route.upstream === DEFAULT_UPSTREAM);
    if (reached) this.playable("upstream.address", upstream, catalogue);
    for (const [name, one] of Object.entries(upstreams)) {
      this.playable(`upstreams.${name}.address`, one, catalogue);
    }
    const client = (key: string, name: string) => this.attempt(key, () => catalogue.resolve("client", name));
    const named = Object.entries(upstreams).map(
      ([name, { profile }]) => [name, server(`upstreams.${name}.profile`, profile)] as const,
    );
    const flat = reached ? [[DEFAULT_UPSTREAM, server("upstream.profile", upstream.profile)] as const] : [];
    const rules = clients.map(({ profile, ...rule }, i) => ({
      ...rule,
      profile: client(`clients.${i}.profile`, profile),
    }));
    if (clientProfile !== null) {
      rules.push({ listen: null, instance: "", profile: client("client.profile", clientProfile) });
    }
    return {
      servers: new Map([...named, ...flat]),
      clients: rules.filter((rule): rule is ClientSetting => rule.profile !== null),
    };
  }

  /** An embedded server can play whatever has a profile. */
  private playable(key: string, upstream: Upstream, catalogue: ProfileCatalogue): void {
    if (upstream.kind !== "embedded" || !("server" in upstream)) return;
    const { server } = upstream;
    this.attempt(key, () => {
      try {
        return catalogue.resolve("server", server);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new RangeError(`embedded:${server}: ${error.message} (levels are written as in embedded:2.3)`);
      }
    });
  }

  private checkClaims(key: string, profile: ResolvedProfile): void {
    this.attempt(key, () => resolveDialect(peerFacts(profile), this.translators));
  }

  /** What `read` finds, or null and a problem at the place of `key`. */
  private attempt<T>(key: string, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const problem = `${this.config.places[key] ?? key}: ${error.message}`;
      if (!this.problems.includes(problem)) this.problems.push(problem);
      return null;
    }
  }
}

function* all(catalogue: ProfileCatalogue): Generator<ResolvedProfile> {
  for (const role of ["server", "client"] as const) {
    for (const name of catalogue.names(role)) yield* catalogue.ranges(role, name);
  }
}
