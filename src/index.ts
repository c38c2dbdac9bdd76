import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, type Config, type ReachableConfig, upstreamNamed } from "./config/types.ts";
import { type EmbeddedUpstreams, startEmbeddedUpstreams } from "./embedded/as-upstream.ts";
import { type Admin, startAdmin } from "./observe/admin.ts";
import { createLog, type Log } from "./observe/log.ts";
import type { MetricsSnapshot } from "./observe/metrics.ts";
import { renderMetrics } from "./observe/prometheus.ts";
import { readSettings } from "./plan/settings.ts";
import { ProxyThread } from "./proxy/proxy-thread.ts";
import { allOf, Reachability } from "./proxy/reachability.ts";
import type { Routes } from "./proxy/routing/route.ts";
import { greetUpstream } from "./proxy/start-check.ts";
import { UpstreamTarget } from "./proxy/upstream-target.ts";
import { Workers } from "./proxy/workers.ts";

export type { Config } from "./config/types.ts";

/** What a bridge is made of. */
export interface BridgeOptions {
  readonly config: Config;
  /** Replaces the log that `config.log` describes; worker threads always use the latter. */
  readonly log?: Log;
  /** Fixed ways for the calls of some methods, in place of plans: all others are relayed. Not with several workers. */
  readonly routes?: Routes | null;
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
 * Starts a bridge in this process. Rejects with a `StartError` that says what to mend: names that do not exist, an address in use, TLS files that cannot be used, an
 * upstream that leads back to the bridge. An upstream that is merely down is no error: calls are answered UNAVAILABLE until it is up.
 */
export async function createBridge({
  config: given,
  log = createLog(given.log),
  routes = null,
}: BridgeOptions): Promise<Bridge> {
  const { catalogue, servers } = readSettings(given);
  const embedded = await startEmbeddedUpstreams(given, catalogue);
  const config = embedded.config;
  const probeId = randomUUID();
  const engine = startEngine(config, log, probeId, routes);
  let admin: Admin | null = null;
  let draining = false;
  try {
    const listening = await engine.listen(config.listen);
    const upstreams = [...servers.keys()].map(
      (name) => new UpstreamTarget(upstreamNamed(config, name), config),
    );
    const greeted = upstreams.map((upstream) => greetUpstream(upstream, config, log, probeId));
    const greeting = allOf(await Promise.all(greeted));
    const reachability = new Reachability(upstreams, greeting);
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
  embedded: EmbeddedUpstreams,
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

function startEngine(config: ReachableConfig, log: Log, probeId: string, routes: Routes | null): Engine {
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

function addressText(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
