import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, ListenOptions } from "node:net";
import { StartError } from "../config/start-error.ts";
import type { Address } from "../config/types.ts";

/** Whether the bridge can serve calls now, and if not, why. */
export interface Readiness {
  readonly ok: boolean;
  /** A short sentence; shown whether ready or not. */
  readonly reason: string;
}

/** What the admin listener asks when it is asked. */
export interface AdminSources {
  ready(): Readiness;
  /** The metrics in Prometheus text format. */
  metrics(): string | Promise<string>;
}

/** A running admin listener. */
export interface Admin {
  /** Where it listens: `host:port` or `unix:path`. */
  readonly address: string;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

async function answer(request: IncomingMessage, sources: AdminSources): Promise<Answer> {
  const path = (request.url ?? "/").replace(/\?.*$/, "");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { status: 405, body: "only GET and HEAD\n" };
  }
  switch (path) {
    case "/live":
      return { status: 200, body: "live\n" };
    case "/ready": {
      const { ok, reason } = sources.ready();
      return { status: ok ? 200 : 503, body: `${ok ? "ready" : "not ready"}: ${reason}\n` };
    }
    case "/metrics":
      return { status: 200, body: await sources.metrics(), type: "text/plain; version=0.0.4; charset=utf-8" };
    default:
      return { status: 404, body: "try /live, /ready or /metrics\n" };
  }
}

async function respond(request: IncomingMessage, response: ServerResponse, sources: AdminSources) {
  const { status, body, type } = await answer(request, sources).catch((error: unknown) => ({
    status: 500,
    body: `${String(error)}\n`,
    type: undefined,
  }));
  response.writeHead(status, {
    "content-type": type ?? "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "content-length": Buffer.byteLength(body),
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
  });
  response.end(body);
}

function listenFailure(where: string, error: NodeJS.ErrnoException): StartError {
  const why = error.code === "EADDRINUSE" ? "the address is in use" : error.message;
  return new StartError(
    "listen",
    `cannot listen on the admin address ${where}: ${why}. Choose another with --admin, or --admin off`,
    {
      cause: error,
    },
  );
}

/**
 * Listens for HTTP at `at`: `/live` (the process runs), `/ready` (200, or 503 with the reason) and `/metrics`. Rejects with a
 * `StartError` of kind `listen` if the address cannot be had. `stop` cuts the connections that are still open.
 */
export async function startAdmin(at: Address, sources: AdminSources): Promise<Admin> {
  const server = createServer((request, response) => void respond(request, response, sources));
  const options: ListenOptions = at.kind === "unix" ? { path: at.path } : { host: at.host, port: at.port };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options, resolve);
  await promise.catch((error: NodeJS.ErrnoException) => {
    throw listenFailure(at.kind === "unix" ? `unix:${at.path}` : `${at.host}:${at.port}`, error);
  });
  return {
    address: listeningAt(server.address()),
    stop() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function listeningAt(address: AddressInfo | string | null): string {
  if (address === null) throw new Error("a listening server has an address");
  if (typeof address === "string") return `unix:${address}`;
  return `${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}
