/** Embedded servers in place of upstreams. */
import type { Config, ReachableConfig, RemoteUpstream, Upstream } from "../config/types.ts";
import type { ProfileCatalogue } from "../peers/profile-catalogue.ts";
import type { EmbeddedServer } from "./server.ts";

/** A configuration whose upstreams can be reached, and the servers that were started for it. */
export interface EmbeddedUpstreams {
  readonly config: ReachableConfig;
  stop(): Promise<void>;
}

/**
 * Starts a server for each upstream that is to be one, and puts their addresses in its place.
 * @throws RangeError for a name that no profile has, of which `readSettings` tells first.
 */
export async function startEmbeddedUpstreams(
  config: Config,
  catalogue: ProfileCatalogue,
): Promise<EmbeddedUpstreams> {
  const servers: EmbeddedServer[] = [];
  const reached = new Map<Upstream, RemoteUpstream>();
  const reach = async (upstream: Upstream): Promise<RemoteUpstream> => {
    if (upstream.kind === "address") return upstream;
    const known = reached.get(upstream);
    if (known !== undefined) return known;
    const { server, display } = await start(upstream, catalogue);
    servers.push(server);
    const remote = remoteOf(server, display, upstream.profile);
    reached.set(upstream, remote);
    return remote;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const upstream = await reach(config.upstream);
    const upstreams: Record<string, RemoteUpstream> = {};
    for (const [name, one] of Object.entries(config.upstreams)) {
      upstreams[name] = await reach(one);
    }
    return { config: { ...config, upstream, upstreams }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  upstream: Extract<Upstream, { kind: "embedded" }>,
  catalogue: ProfileCatalogue,
): Promise<{ server: EmbeddedServer; display: string }> {
  // Loaded only here: most bridges have no use for the server and its libraries.
  const { startEmbedded } = await import("./server.ts");
  const role =
    "level" in upstream ? { level: upstream.level } : { as: catalogue.resolve("server", upstream.server) };
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startEmbedded({ ...role, listen, dir: null });
  return { server, display: `embedded:${role.level ?? role.as.name}` };
}

function remoteOf({ address }: EmbeddedServer, display: string, profile: string | null): RemoteUpstream {
  const [host = "", port] = address.split(":");
  return {
    kind: "address",
    address: { kind: "tcp", host, port: Number(port) },
    display,
    tls: null,
    authority: "upstream",
    profile,
  };
}
