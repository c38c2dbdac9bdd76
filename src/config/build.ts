import { formatAddress } from "./address.ts";
import {
  unpaired,
  unreadableFiles,
  upstreamOf,
  upstreamProblems,
  withoutUpstream,
} from "./build-upstream.ts";
import { clientProblems, routeProblems } from "./check-routes.ts";
import type { Given } from "./given.ts";
import type { Sections } from "./sections.ts";
import { StartError } from "./start-error.ts";
import type { Config, ServerTls, Upstream } from "./types.ts";

function* doubleListeners(given: Given): Generator<string> {
  const addresses = given.need("listen").map(formatAddress);
  const admin = given.get("admin");
  const twice = addresses.find((a, i) => addresses.indexOf(a) !== i && !a.endsWith(":0"));
  if (twice !== undefined) yield `${given.where("listen")}: names ${twice} twice`;
  if (admin && addresses.includes(formatAddress(admin)) && !formatAddress(admin).endsWith(":0")) {
    yield `${given.where("admin")}: ${formatAddress(admin)} is also where clients connect; choose another with --admin`;
  }
}

const NO_UPSTREAM =
  "no server to talk to: name it, as in reapi-bridge --upstream buildfarm:8980 (or --upstream embedded to try the bridge)";

function* serverProblems(given: Given, sections: Sections): Generator<string> {
  const flat = given.get("upstream") === undefined ? null : given.where("upstream");
  if (flat !== null) yield* upstreamProblems(given);
  else if (sections.routes.length === 0) yield NO_UPSTREAM;
  else yield* withoutUpstream(given);
  for (const [name, upstream] of sections.upstreams) {
    if (upstream.get("upstream") !== undefined) yield* upstreamProblems(upstream);
    else yield `${sections.place(["upstreams", name])}: lacks the key "address"`;
  }
  yield* routeProblems(sections, flat);
}

function* problemsOf(given: Given, sections: Sections): Generator<string> {
  yield* serverProblems(given, sections);
  yield* unpaired(given, "tlsCert", "tlsKey");
  yield* unpaired(given, "tlsKey", "tlsCert");
  yield* unpaired(given, "tlsClientCa", "tlsCert");
  yield* unreadableFiles(given, ["tlsCert", "tlsKey", "tlsClientCa"]);
  yield* doubleListeners(given);
  yield* clientProblems(sections, given.need("listen"));
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

/** The upstream of what no route takes. */
function defaultUpstream(given: Given, { routes, upstreams }: Sections): Upstream {
  if (given.get("upstream") !== undefined) return upstreamOf(given);
  return upstreamOf(upstreams.get(routes.at(-1)!.upstream)!);
}

function* placesOf(
  given: Given,
  { upstreams, clients, policy, place }: Sections,
): Generator<[string, string]> {
  if (namesServer(given)) yield ["upstream.address", given.where("upstream")];
  if (given.has("upstreamProfile")) yield ["upstream.profile", given.where("upstreamProfile")];
  if (given.has("clientProfile")) yield ["client.profile", given.where("clientProfile")];
  for (const [name, upstream] of upstreams) {
    if (namesServer(upstream)) yield [`upstreams.${name}.address`, upstream.where("upstream")];
    if (upstream.has("upstreamProfile"))
      yield [`upstreams.${name}.profile`, upstream.where("upstreamProfile")];
  }
  for (const i of clients.keys()) yield [`clients.${i}.profile`, place(["clients", i, "profile"])];
  for (const id of Object.keys(policy)) yield [`policy.${id}`, place(["policy", id])];
}

/** Whether an upstream is to play a server by name. */
function namesServer(given: Given): boolean {
  const upstream = given.get("upstream");
  return upstream?.kind === "embedded" && "server" in upstream;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}

/**
 * The configuration that the values make together. Throws a `StartError` that lists what does not fit together, what is missing
 * and which files cannot be read. `terminal` decides the log's format when it is left to the bridge.
 */
export function buildConfig(given: Given, sections: Sections, terminal: boolean): Config {
  const problems = [...problemsOf(given, sections)];
  if (problems.length > 0) throw new StartError("config", problems.join("\n"));
  const format = given.need("logFormat");
  return deepFreeze({
    listen: given.need("listen"),
    upstream: defaultUpstream(given, sections),
    upstreams: Object.fromEntries([...sections.upstreams].map(([name, one]) => [name, upstreamOf(one)])),
    routes: sections.routes,
    clients: sections.clients,
    clientProfile: given.get("clientProfile") ?? null,
    profiles: given.get("profiles") ?? [],
    policy: sections.policy,
    places: Object.fromEntries(placesOf(given, sections)),
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
