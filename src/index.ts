import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "./config/start-error.ts";
import type { Address, Config } from "./config/types.ts";
import { type Admin, startAdmin } from "./observe/admin.ts";
import { createLog, type Log } from "./observe/log.ts";
import type { MetricsSnapshot } from "./observe/metrics.ts";
import { renderMetrics } from "./observe/prometheus.ts";
import type { ResolvedServer } from "./peers/profile.ts";
import type { Routes } from "./proxy/messages/route.ts";
import { ProxyThread, type ReachableConfig } from "./proxy/proxy-thread.ts";
import { Reachability } from "./proxy/reachability.ts";
import { greetUpstream } from "./proxy/start-check.ts";
import { UpstreamTarget } from "./proxy/upstream-target.ts";
import { Workers } from "./proxy/workers.ts";

export type { Config } from "./config/types.ts";

/** What a bridge is made of. */
export interface BridgeOptions {
  readonly config: Config;
  /** Replaces the log that `config.log` describes; worker threads always use the latter. */
  readonly log?: Log;
  /** Methods that are served otherwise than by relaying them; not with several workers. */
  readonly routes?: Routes;
}

/** A running bridge. */
export interface Bridge {
  /** Where clients are accepted, with real ports: `host:port` or `unix:path`. */
  readonly listening: readonly string[];
  /** Where the admin listener is, or null. */
  readonly admin: string | null;
  /** What the upstream said when it was greeted, as a sentence. */
  readonly upstreamSaid: string;
  /** All counts of this moment. */
  metrics(): Promise<MetricsSnapshot>;
  /** Drains: clients are asked to leave, for at least `drain.minMs` and at most `drain.maxMs`, then cut off. */
  stop(): Promise<void>;
}

/** What serves calls: this thread, or several others. */
interface Engine {
  listen(addresses: readonly Address[]): Promise<Address[]>;
  snapshot(): MetricsSnapshot | Promise<MetricsSnapshot>;
  drain(): Promise<void>;
  cut(): void | Promise<void>;
  end(): Promise<void>;
}

/**
 * Starts a bridge in this process. Rejects with a `StartError` that says what to mend: an address in use, TLS files that cannot be used, an
 * upstream that leads back to the bridge. An upstream that is merely down is no error: calls are answered UNAVAILABLE until it is up.
 */
export async function createBridge({
  config: given,
  log = createLog(given.log),
  routes = new Map(),
}: BridgeOptions): Promise<Bridge> {
  const embedded = await startEmbeddedUpstream(given);
  const config = embedded.config;
  const probeId = randomUUID();
  const engine = startEngine(config, log, probeId, routes);
  let admin: Admin | null = null;
  let draining = false;
  try {
    const listening = await engine.listen(config.listen);
    const upstream = new UpstreamTarget(config.upstream, config);
    const greeting = await greetUpstream(config, log, probeId);
    const reachability = new Reachability(upstream, greeting);
    const ready = () => (draining ? { ok: false, reason: "shutting down" } : reachability.ask());
    const metrics = async () => renderMetrics(await engine.snapshot());
    admin = config.admin === null ? null : await startAdmin(config.admin, { ready, metrics });
    let stopping: Promise<void> | null = null;
    return {
      listening: listening.map(addressText),
      admin: admin?.address ?? null,
      upstreamSaid: greeting.reason,
      metrics: async () => engine.snapshot(),
      stop() {
        draining = true;
        stopping ??= stopAll(config, engine, admin, embedded);
        return stopping;
      },
    };
  } catch (error) {
    await Promise.all([engine.drain(), engine.cut()]);
    await engine.end();
    await admin?.stop();
    await embedded.stop();
    throw error;
  }
}

async function stopAll(
  config: Config,
  engine: Engine,
  admin: Admin | null,
  embedded: EmbeddedUpstream,
): Promise<void> {
  const { minMs, maxMs } = config.drain;
  // Balancers need a moment to see that the bridge is not ready any more; until then new clients are welcome.
  await sleep(minMs);
  const cut = new AbortController();
  const drained = engine.drain();
  await Promise.race([
    drained,
    sleep(Math.max(0, maxMs - minMs), undefined, { signal: cut.signal }).catch(() => {}),
  ]);
  cut.abort();
  await engine.cut();
  await drained;
  await engine.end();
  await admin?.stop();
  await embedded.stop();
}

function startEngine(config: ReachableConfig, log: Log, probeId: string, routes: Routes): Engine {
  if (config.workers > 1) {
    const workers = new Workers(config, probeId, (error) => {
      log.fatal({ err: error }, "a worker thread failed; please report this");
      process.exitCode = 1;
      process.kill(process.pid, "SIGTERM");
    });
    return Object.assign(workers, { end: () => workers.terminate() });
  }
  const proxy = new ProxyThread(config, log, probeId, routes);
  return {
    listen: (addresses) => proxy.listen(addresses, false),
    snapshot: () => proxy.snapshot(),
    drain: () => proxy.drain(),
    cut: () => proxy.cut(),
    end: async () => {},
  };
}

interface EmbeddedUpstream {
  readonly config: ReachableConfig;
  stop(): Promise<void>;
}

async function startEmbeddedUpstream(config: Config): Promise<EmbeddedUpstream> {
  const { upstream } = config;
  if (upstream.kind === "address") return { config: { ...config, upstream }, async stop() {} };
  // Loaded only here: most bridges have no use for the server and its libraries.
  const { startEmbedded } = await import("./embedded/server.ts");
  const role =
    "level" in upstream ? { level: upstream.level } : { as: await embeddedServer(upstream.server) };
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startEmbedded({ ...role, listen, dir: null });
  const [host, port] = server.address.split(":");
  const address = { kind: "tcp", host: host!, port: Number(port) } as const;
  const display = `embedded:${role.level ?? role.as.name}`;
  return {
    config: { ...config, upstream: { kind: "address", address, display, tls: null, authority: "upstream" } },
    stop: () => server.stop(),
  };
}

async function embeddedServer(name: string): Promise<ResolvedServer> {
  const { shippedProfiles } = await import("./peers/read-profile.ts");
  try {
    return shippedProfiles().resolve("server", name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const text = `--upstream embedded:${name}: ${error.message}; levels are written as in embedded:2.3`;
    throw new StartError("config", text, { cause: error });
  }
}

function addressText(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
