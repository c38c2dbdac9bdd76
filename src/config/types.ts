/** Where something listens or is reached: a TCP host (name or IP, IPv6 without brackets) and port, or a Unix socket. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** TLS towards callers. All three are paths of PEM files, read again when they change; `clientCa` turns on mutual TLS. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

/**
 * TLS towards the upstream. `ca`, `cert` and `key` are paths of PEM files; without `ca` the system's authorities count.
 * `serverName` replaces the upstream's host as the name that is sent and checked.
 */
export interface UpstreamTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

/** The `:authority` that the upstream sees: its own address, the one the client sent, or a fixed one. */
export type Authority = "upstream" | "client" | { readonly fixed: string };

/**
 * The server behind the bridge: one at an address, or the embedded one, which plays a spec level (`2018-11`, `2.0` … `2.12`, `main`) or a
 * server that has a profile (`buildbarn@2026-03-26`).
 */
export type Upstream =
  | {
      readonly kind: "address";
      readonly address: Address;
      /** The address as messages and logs show it, without anything secret. */
      readonly display: string;
      /** Null for cleartext HTTP/2 with prior knowledge. */
      readonly tls: UpstreamTls | null;
      readonly authority: Authority;
      /** What the server is, by the name of a profile; null where the bridge has to tell. */
      readonly profile: string | null;
    }
  | { readonly kind: "embedded"; readonly level: string; readonly profile: string | null }
  | { readonly kind: "embedded"; readonly server: string; readonly profile: string | null };

/** An upstream that can be reached: the embedded server has an address by now. */
export type RemoteUpstream = Extract<Upstream, { kind: "address" }>;

/** A configuration of which every upstream can be reached. */
export type ReachableConfig = Config & {
  readonly upstream: RemoteUpstream;
  readonly upstreams: Readonly<Record<string, RemoteUpstream>>;
};

/** The name by which routes call the upstream of the option `upstream`. */
export const DEFAULT_UPSTREAM = "default";

/** Which calls go to which upstream. It takes a call if both `services` and `instance` do. */
export interface Route {
  /** Full names of gRPC services; null for all. */
  readonly services: readonly string[] | null;
  /** The whole segments that the instance name begins with; empty for every one. */
  readonly instance: string;
  /** A key of `Config.upstreams`, or {@link DEFAULT_UPSTREAM} for `Config.upstream`. */
  readonly upstream: string;
  /** What the upstream sees in place of `instance`, whole segments too; null for the same. */
  readonly rename: string | null;
}

/** The upstream that a route means by `name`. */
export function upstreamNamed({ upstream, upstreams }: ReachableConfig, name: string): RemoteUpstream {
  return name === DEFAULT_UPSTREAM ? upstream : upstreams[name]!;
}

/** What the clients are whose calls arrive at a listener, for an instance name. */
export interface ClientRule {
  /** One of `Config.listen`; null for all. */
  readonly listen: Address | null;
  /** The whole segments that the instance name begins with; empty for every one. */
  readonly instance: string;
  /** The name of a profile. */
  readonly profile: string;
}

/** Bounds on what peers can make the bridge hold. */
export interface Limits {
  /** Bytes held and window credit granted, over all connections of the process. */
  readonly bufferBudgetBytes: number;
  /** The largest single message in a lane that opens messages; the relay lane has no limit. */
  readonly maxMessageBytes: number;
  /** The largest decoded header list of one call (RFC 9113 section 10.5.1). */
  readonly maxHeaderListBytes: number;
  /** Streams that one client connection may have open at once. */
  readonly maxStreamsPerConnection: number;
}

/** All in milliseconds. */
export interface Timeouts {
  /** For a connection to the upstream, TLS and the HTTP/2 preface included. */
  readonly connectMs: number;
  /** After which a connection without calls is closed; 0 is never. */
  readonly idleMs: number;
  /** Between pings to the upstream; 0 is off, else at least five minutes, as servers punish more. */
  readonly upstreamPingMs: number;
}

/** How long a stop takes, in milliseconds: at least `minMs`, so that balancers notice, and at most `maxMs`, then calls are cut. */
interface Drain {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The smallest severity that is logged. */
type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** What the log shows and how: JSON lines, or text for a person's terminal. */
export interface LogConfig {
  readonly level: LogLevel;
  readonly pretty: boolean;
}

/** Everything the bridge is told: plain data, which goes to other threads. An immutable snapshot: a change is a new object. */
export interface Config {
  readonly listen: readonly Address[];
  /** Where calls go that no route takes. Where `routes` end with one that takes all, it is the upstream of that one. */
  readonly upstream: Upstream;
  /** Further servers, by the names that routes give them. */
  readonly upstreams: Readonly<Record<string, Upstream>>;
  /** The first that takes a call counts. */
  readonly routes: readonly Route[];
  /** What clients are; the first that matches a call counts, else `clientProfile`. */
  readonly clients: readonly ClientRule[];
  /** What all other clients are, by the name of a profile; null where each call tells. */
  readonly clientProfile: string | null;
  /** Files with profiles of the operator's own, in the order of reading. */
  readonly profiles: readonly string[];
  /** By feature: `auto`, `off` or `require`. Whether there is such a feature, `readSettings` tells. */
  readonly policy: Readonly<Record<string, string>>;
  /** Where the names stand that are looked up only later, for messages: by key (`upstream.address`, `clients.0.profile`, `policy.hash-text`). */
  readonly places: Readonly<Record<string, string>>;
  /** Base URL that gets the plain HTTP requests of the port (`http://host:port[/path]`); null refuses them. */
  readonly httpUpstream: string | null;
  /** Null for cleartext. */
  readonly tls: ServerTls | null;
  /** The listener of `/live`, `/ready` and `/metrics`; null for none. */
  readonly admin: Address | null;
  /** Threads that serve connections. */
  readonly workers: number;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly drain: Drain;
  readonly log: LogConfig;
  /** `documented` keeps the data path off Node's private API for accepted sockets. */
  readonly readPath: "auto" | "documented";
}
