import { get } from "node:http";
import type { Config, Limits, Timeouts } from "../../../src/config/types.ts";
import { createBridge } from "../../../src/index.ts";

/** Parts of the configuration that a test may set; the rest are the defaults of the product, ports excepted. */
export interface BridgeSettings {
  limits?: Partial<Limits>;
  timeouts?: Partial<Timeouts>;
  readPath?: Config["readPath"];
  authority?: "upstream" | "client";
  httpUpstream?: string;
  listen?: Config["listen"];
}

/** A running bridge, seen from outside. */
export interface RunningBridge {
  /** `host:port` of the front door. */
  readonly address: string;
  /** All samples of `/metrics`, by name and labels: `reapi_bridge_open_streams{side="client"}`. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** The configuration of a bridge on ephemeral ports in front of `upstream` (`host:port`). */
export function bridgeConfig(upstream: string, settings: BridgeSettings = {}): Config {
  const [host, port] = upstream.split(":") as [string, string];
  return {
    listen: settings.listen ?? [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    upstream: {
      kind: "address",
      address: { kind: "tcp", host, port: Number(port) },
      display: upstream,
      tls: null,
      authority: settings.authority ?? "upstream",
      profile: null,
    },
    upstreams: {},
    routes: [],
    clients: [],
    clientProfile: null,
    profiles: [],
    policy: {},
    places: {},
    httpUpstream: settings.httpUpstream ?? null,
    tls: null,
    admin: { kind: "tcp", host: "127.0.0.1", port: 0 },
    workers: 1,
    limits: {
      bufferBudgetBytes: 256 * 1024 * 1024,
      maxMessageBytes: 64 * 1024 * 1024,
      maxHeaderListBytes: 128 * 1024,
      maxStreamsPerConnection: 10_000,
      ...settings.limits,
    },
    timeouts: { connectMs: 2_000, idleMs: 0, upstreamPingMs: 0, ...settings.timeouts },
    drain: { minMs: 0, maxMs: 500 },
    log: { level: "silent", pretty: false },
    readPath: settings.readPath ?? "auto",
  };
}

/** Starts a bridge in this process. */
export async function startBridge(upstream: string, settings: BridgeSettings = {}): Promise<RunningBridge> {
  const bridge = await createBridge({ config: bridgeConfig(upstream, settings) });
  return {
    address: bridge.listening[0]!,
    metrics: () => readMetrics(bridge.admin!),
    stop: () => bridge.stop(),
  };
}

/** The samples of the `/metrics` page at `admin` (`host:port`). */
export async function readMetrics(admin: string): Promise<ReadonlyMap<string, number>> {
  const text = await page(`http://${admin}/metrics`);
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const split = line.lastIndexOf(" ");
    if (!line.startsWith("#") && split > 0) samples.set(line.slice(0, split), Number(line.slice(split + 1)));
  }
  return samples;
}

function page(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });
}
