import { choice, count, duration, filePath, flagSwitch, type Kind, size } from "./kinds.ts";
import {
  hostName,
  httpUrl,
  listenAddress,
  listenAddressOrOff,
  profileName,
  upstreamName,
} from "./place-kinds.ts";

/** One thing the bridge can be told, by flag, environment variable or configuration file. */
export interface Option<T = unknown> {
  /** The flag without its dashes; in capitals, with `REAPI_BRIDGE_` before it, the environment variable. */
  readonly name: string;
  /** Its place in the file, dots between the levels. */
  readonly key: string;
  readonly kind: Kind<T>;
  /** The heading under which help lists it; options of a group stand together. */
  readonly group: "Where" | "Peers" | "TLS" | "Limits" | "Running";
  /** One line: what it is for. The default is added by whoever shows it. */
  readonly help: string;
  /** As it would be written. */
  readonly default?: string;
  /** Takes several values: a repeated flag, a list in the file, commas in the variable. */
  readonly list?: true;
  /** Rarely needed: variable and file only, no flag. */
  readonly noFlag?: true;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KIB = 2 ** 10;
const GIB = 2 ** 30;

/**
 * The one table of options: flags, `REAPI_BRIDGE_*` variables, keys of the file, the file's schema, `--help` and
 * `docs/cli.md` all come from it.
 */
export const OPTIONS = {
  upstream: {
    name: "upstream",
    key: "upstream.address",
    kind: upstreamName,
    group: "Where",
    help: "The server behind the bridge; see Addresses",
  },
  httpUpstream: {
    name: "http-upstream",
    key: "httpUpstream",
    kind: httpUrl,
    group: "Where",
    help: "Where plain HTTP requests on the same port go, such as /ac/ and /cas/; refused without it",
  },
  listen: {
    name: "listen",
    key: "listen",
    kind: listenAddress,
    group: "Where",
    help: "Where clients connect",
    default: "127.0.0.1:8985",
    list: true,
  },
  admin: {
    name: "admin",
    key: "admin",
    kind: listenAddressOrOff,
    group: "Where",
    help: "Where /live, /ready and /metrics are served",
    default: "127.0.0.1:9985",
  },
  authority: {
    name: "authority",
    key: "upstream.authority",
    kind: hostName,
    group: "Where",
    help: "The :authority the server sees: upstream (its own address), client (what the client sent) or a NAME",
    default: "upstream",
  },
  upstreamProfile: {
    name: "upstream-profile",
    key: "upstream.profile",
    kind: profileName,
    group: "Peers",
    help: "What the server is, if the bridge cannot tell: NAME or NAME@VERSION from docs/profiles.md",
  },
  clientProfile: {
    name: "client-profile",
    key: "client.profile",
    kind: profileName,
    group: "Peers",
    help: "What all clients are; without it each call tells",
  },
  profiles: {
    name: "profiles",
    key: "profiles",
    kind: filePath,
    group: "Peers",
    help: "Profiles of your own; each may extend a shipped one or one before it",
    list: true,
    noFlag: true,
  },
  tlsCert: {
    name: "tls-cert",
    key: "tls.cert",
    kind: filePath,
    group: "TLS",
    help: "Certificate (PEM) to serve clients with TLS; read again when it changes",
  },
  tlsKey: {
    name: "tls-key",
    key: "tls.key",
    kind: filePath,
    group: "TLS",
    help: "Its private key (PEM)",
  },
  tlsClientCa: {
    name: "tls-client-ca",
    key: "tls.clientCa",
    kind: filePath,
    group: "TLS",
    help: "Authorities (PEM) that a client's certificate must come from: turns on mutual TLS",
  },
  upstreamCa: {
    name: "upstream-ca",
    key: "upstream.ca",
    kind: filePath,
    group: "TLS",
    help: "Authorities (PEM) that the server's certificate must come from, instead of the system's",
  },
  upstreamCert: {
    name: "upstream-cert",
    key: "upstream.cert",
    kind: filePath,
    group: "TLS",
    help: "Certificate (PEM) to show the server",
  },
  upstreamKey: {
    name: "upstream-key",
    key: "upstream.key",
    kind: filePath,
    group: "TLS",
    help: "Its private key (PEM)",
  },
  upstreamServerName: {
    name: "upstream-server-name",
    key: "upstream.serverName",
    kind: hostName,
    group: "TLS",
    help: "The name the server's certificate must have, if not the host of --upstream",
  },
  upstreamInsecure: {
    name: "upstream-insecure",
    key: "upstream.insecure",
    kind: flagSwitch,
    group: "TLS",
    help: "Do not check the server's certificate; for tests only",
  },
  bufferBudget: {
    name: "buffer-budget",
    key: "limits.bufferBudget",
    kind: size(16 * 2 ** 20, 1024 * GIB),
    group: "Limits",
    help: "Memory that all peers together can make the bridge hold",
    default: "256MiB",
  },
  maxMessageSize: {
    name: "max-message-size",
    key: "limits.maxMessageSize",
    kind: size(KIB, 2 * GIB),
    group: "Limits",
    help: "The largest message where the bridge opens messages; what it only passes on has no limit",
    default: "64MiB",
  },
  maxHeaderListSize: {
    name: "max-header-list-size",
    key: "limits.maxHeaderListSize",
    kind: size(8 * KIB, 16 * 2 ** 20),
    group: "Limits",
    help: "The largest header list of a call, decoded",
    default: "128KiB",
    noFlag: true,
  },
  maxStreamsPerConnection: {
    name: "max-streams-per-connection",
    key: "limits.maxStreamsPerConnection",
    kind: count(1, 1_000_000),
    group: "Limits",
    help: "Calls that one client connection may have open at once",
    default: "10000",
    noFlag: true,
  },
  workers: {
    name: "workers",
    key: "workers",
    kind: count(1, 256),
    group: "Running",
    help: "Threads that serve connections",
    default: "1",
  },
  drainMin: {
    name: "drain-min",
    key: "drain.min",
    kind: duration({ minMs: 0, maxMs: HOUR }),
    group: "Running",
    help: "On SIGTERM: how long to keep serving while /ready says no, so that balancers notice",
    default: "0s",
  },
  drainMax: {
    name: "drain-max",
    key: "drain.max",
    kind: duration({ minMs: 0, maxMs: 24 * HOUR }),
    group: "Running",
    help: "On SIGTERM: when calls that have not ended are cut",
    default: "30s",
  },
  logLevel: {
    name: "log-level",
    key: "log.level",
    kind: choice("LEVEL", "trace", "debug", "info", "warn", "error", "silent"),
    group: "Running",
    help: "The smallest severity that is logged: trace, debug, info, warn, error or silent",
    default: "info",
  },
  logFormat: {
    name: "log-format",
    key: "log.format",
    kind: choice("FORMAT", "auto", "json", "pretty"),
    group: "Running",
    help: "json (lines for machines), pretty (text for people) or auto (text on a terminal, else lines)",
    default: "auto",
    noFlag: true,
  },
  connectTimeout: {
    name: "connect-timeout",
    key: "timeouts.connect",
    kind: duration({ minMs: 100, maxMs: 5 * MINUTE }),
    group: "Running",
    help: "How long a connection to the server may take to come about",
    default: "5s",
    noFlag: true,
  },
  idleTimeout: {
    name: "idle-timeout",
    key: "timeouts.idle",
    kind: duration({ minMs: 1000, maxMs: 24 * HOUR, offAllowed: true }),
    group: "Running",
    help: "When a connection without calls is closed",
    default: "1h",
    noFlag: true,
  },
  upstreamPing: {
    name: "upstream-ping",
    key: "timeouts.upstreamPing",
    kind: duration({ minMs: 5 * MINUTE, maxMs: 24 * HOUR, offAllowed: true }),
    group: "Running",
    help: "How often to ping the server; servers punish more than one ping in five minutes",
    default: "off",
    noFlag: true,
  },
  readPath: {
    name: "read-path",
    key: "readPath",
    kind: choice("PATH", "auto", "documented"),
    group: "Running",
    help: "auto, or documented: keep to Node's documented API for reading sockets, at the cost of some CPU",
    default: "auto",
    noFlag: true,
  },
} as const satisfies Record<string, Option>;

/** The options by the names the code knows them by. */
export type OptionName = keyof typeof OPTIONS;

type Parsed<O> = O extends { kind: Kind<infer T> } ? (O extends { list: true } ? readonly T[] : T) : never;

/** What was given, or is the default, for each option. */
export type Values = { readonly [N in OptionName]?: Parsed<(typeof OPTIONS)[N]> };

/** Every option, in the order of the table. */
export const ALL_OPTIONS: readonly Option[] = Object.values(OPTIONS);

/** The environment variable of an option. */
export function variableOf(option: Option): string {
  return `REAPI_BRIDGE_${option.name.toUpperCase().replaceAll("-", "_")}`;
}
