import { accessSync, constants } from "node:fs";
import { formatAddress } from "./address.ts";
import type { Given } from "./given.ts";
import { OPTIONS, type OptionName } from "./options.ts";
import { StartError } from "./start-error.ts";
import type { Authority, Config, ServerTls, Upstream, UpstreamTls } from "./types.ts";

const UPSTREAM_TLS = [
  "upstreamCa",
  "upstreamCert",
  "upstreamKey",
  "upstreamServerName",
  "upstreamInsecure",
] as const;
const FILES = ["tlsCert", "tlsKey", "tlsClientCa", "upstreamCa", "upstreamCert", "upstreamKey"] as const;

function* unreadableFiles(given: Given): Generator<string> {
  for (const name of FILES) {
    const path = given.get(name);
    if (path === undefined) continue;
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      yield `${given.where(name)}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`;
    }
  }
}

function* unpaired(given: Given, name: OptionName, needs: OptionName): Generator<string> {
  if (given.get(name) !== undefined && given.get(needs) === undefined) {
    yield `${given.where(name)}: needs --${OPTIONS[needs].name} as well`;
  }
}

function* doubleListeners(given: Given): Generator<string> {
  const addresses = given.need("listen").map(formatAddress);
  const admin = given.get("admin");
  const twice = addresses.find((a, i) => addresses.indexOf(a) !== i && !a.endsWith(":0"));
  if (twice !== undefined) yield `${given.where("listen")}: names ${twice} twice`;
  if (admin && addresses.includes(formatAddress(admin)) && !formatAddress(admin).endsWith(":0")) {
    yield `${given.where("admin")}: ${formatAddress(admin)} is also where clients connect; choose another with --admin`;
  }
}

function* problemsOf(given: Given): Generator<string> {
  const upstream = given.get("upstream");
  if (upstream === undefined) {
    yield "no server to talk to: name it, as in reapi-bridge --upstream buildfarm:8980 (or --upstream embedded to try the bridge)";
  } else if (upstream.kind === "embedded" || !upstream.secure) {
    const useless = UPSTREAM_TLS.filter((name) => given.get(name) !== undefined && given.get(name) !== false);
    for (const name of useless)
      yield `${given.where(name)}: means nothing without TLS; write --upstream grpcs://HOST:PORT`;
  }
  yield* unpaired(given, "tlsCert", "tlsKey");
  yield* unpaired(given, "tlsKey", "tlsCert");
  yield* unpaired(given, "tlsClientCa", "tlsCert");
  yield* unpaired(given, "upstreamCert", "upstreamKey");
  yield* unpaired(given, "upstreamKey", "upstreamCert");
  yield* unreadableFiles(given);
  yield* doubleListeners(given);
  if (given.need("drainMin") > given.need("drainMax")) {
    yield `${given.where("drainMin")}: is longer than --drain-max (${given.need("drainMax") / 1000}s)`;
  }
  if (given.need("maxMessageSize") > given.need("bufferBudget")) {
    yield `${given.where("maxMessageSize")}: is more than --buffer-budget, so that such a message could never be held`;
  }
}

function serverTls(given: Given): ServerTls | null {
  const cert = given.get("tlsCert");
  const key = given.get("tlsKey");
  const clientCa = given.get("tlsClientCa");
  if (cert === undefined || key === undefined) return null;
  return { cert, key, ...(clientCa === undefined ? {} : { clientCa }) };
}

function upstreamTls(given: Given): UpstreamTls {
  const tls = {
    ca: given.get("upstreamCa"),
    cert: given.get("upstreamCert"),
    key: given.get("upstreamKey"),
    serverName: given.get("upstreamServerName"),
    insecureSkipVerify: given.get("upstreamInsecure"),
  };
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

function authorityOf(text: string): Authority {
  return text === "upstream" || text === "client" ? text : { fixed: text };
}

function upstreamOf(given: Given): Upstream {
  const name = given.need("upstream");
  if (name.kind === "embedded") return name;
  return {
    kind: "address",
    address: name.address,
    display: name.display,
    tls: name.secure ? upstreamTls(given) : null,
    authority: authorityOf(given.need("authority")),
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}

/**
 * The configuration that the values make together. Throws a `StartError` that lists what does not fit together, what is missing
 * and which files cannot be read. `terminal` decides the log's format when it is left to the bridge.
 */
export function buildConfig(given: Given, terminal: boolean): Config {
  const problems = [...problemsOf(given)];
  if (problems.length > 0) throw new StartError("config", problems.join("\n"));
  const format = given.need("logFormat");
  return deepFreeze({
    listen: given.need("listen"),
    upstream: upstreamOf(given),
    httpUpstream: given.get("httpUpstream") ?? null,
    tls: serverTls(given),
    admin: given.get("admin") ?? null,
    workers: given.need("workers"),
    limits: {
      bufferBudgetBytes: given.need("bufferBudget"),
      maxMessageBytes: given.need("maxMessageSize"),
      maxHeaderListBytes: given.need("maxHeaderListSize"),
      maxStreamsPerConnection: given.need("maxStreamsPerConnection"),
    },
    timeouts: {
      connectMs: given.need("connectTimeout"),
      idleMs: given.need("idleTimeout"),
      upstreamPingMs: given.need("upstreamPing"),
    },
    drain: { minMs: given.need("drainMin"), maxMs: given.need("drainMax") },
    log: { level: given.need("logLevel"), pretty: format === "pretty" || (format === "auto" && terminal) },
    readPath: given.need("readPath"),
  });
}
