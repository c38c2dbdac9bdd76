import {
  createServer,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { Agent as HttpsAgent, request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import proxy from "http2-proxy";
import type { Field } from "../http2/hpack/field.ts";
import type { Stream } from "../http2/stream.ts";
import type { Core } from "./core.ts";
import { SideRequest, SideResponse } from "./side-stream.ts";

/** Idle connections kept to the HTTP upstream. */
const KEPT = 64;
/** How long the HTTP upstream may be silent within a request, in milliseconds. */
const SILENCE = 120_000;

const REFUSAL =
  "This port carries gRPC over HTTP/2. Plain HTTP is not forwarded: start reapi-bridge with --http-upstream http://HOST:PORT to name a server for it.\n";

/** Plain HTTP on the gRPC port: `/ac/`, `/cas/`, web pages. Goes to the HTTP upstream by way of http2-proxy, or is refused with a sentence. */
export class SideLane {
  private readonly core: Core;
  private readonly base: URL | null;
  private readonly server: Server;
  private readonly agent: HttpAgent;

  constructor(core: Core) {
    this.core = core;
    const { httpUpstream } = core.config;
    this.base = httpUpstream === null ? null : new URL(httpUpstream);
    const secure = this.base?.protocol === "https:";
    const options = { keepAlive: true, maxFreeSockets: KEPT };
    this.agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.server = createServer({ maxHeaderSize: core.config.limits.maxHeaderListBytes, requestTimeout: 0 });
    this.server.on("request", (req, res) => void this.serve(req, res));
    this.server.on("upgrade", (req, socket, head) => void this.upgrade(req, socket, head));
    this.server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuseGarbage(error, socket));
  }

  /** Takes a socket whose client speaks HTTP/1. */
  socket(socket: Socket): void {
    this.server.emit("connection", socket);
  }

  /** Takes an HTTP/2 request that is no gRPC. */
  stream(stream: Stream, fields: readonly Field[], fin: boolean, tooLarge: boolean): void {
    const response = new SideResponse(stream);
    const request = new SideRequest(stream, fields, fin, () => response.onDrained());
    if (tooLarge) {
      refuse(response, 431, "The request's headers are too large.\n");
      return;
    }
    void this.serve(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  }

  /** Ends idle connections; those with a request end after it. */
  drain(): void {
    this.server.closeIdleConnections();
  }

  /** Ends everything. */
  cut(): void {
    this.server.closeAllConnections();
    this.agent.destroy();
  }

  private async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const started = performance.now();
    const { base } = this;
    let code = 0;
    if (base === null) {
      code = 12;
      refuse(res, req.httpVersion === "2.0" && req.method === "POST" ? 415 : 501, REFUSAL);
    } else {
      try {
        await proxy.web(req, res, this.options(base) as never);
      } catch (error) {
        code = 14;
        this.failed(req, res, error as Error & { statusCode?: number });
      }
    }
    this.core.metrics.callEnded("http", "side", code, (performance.now() - started) / 1000);
  }

  private async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { base } = this;
    if (base === null) {
      socket.end(
        `HTTP/1.1 501 Not Implemented\r\nconnection: close\r\ncontent-length: ${REFUSAL.length}\r\n\r\n${REFUSAL}`,
      );
      return;
    }
    try {
      await proxy.ws(req, socket as Socket, head, this.options(base) as never);
    } catch (error) {
      this.core.refused("http", 14, `plain HTTP to ${base.origin}: ${(error as Error).message}`);
      socket.destroy();
    }
  }

  private options(base: URL): object {
    return {
      ...this.target(base),
      onReq: (_: unknown, options: RequestOptions) => this.forward(base, options),
    };
  }

  private target(base: URL): { hostname: string; port: number } {
    return { hostname: base.hostname, port: Number(base.port || (base.protocol === "https:" ? 443 : 80)) };
  }

  private async forward(base: URL, options: RequestOptions): Promise<never> {
    const path = `${base.pathname.replace(/\/$/, "")}${options.path ?? "/"}`;
    const full = { ...options, path, agent: this.agent, timeout: SILENCE, ...this.target(base) };
    const send = base.protocol === "https:" ? secureRequest : request;
    const outgoing = send(full);
    // http2-proxy does not listen yet if the client goes away in this very moment, and an error nobody hears ends the process.
    outgoing.on("error", () => {});
    return outgoing as never;
  }

  private failed(req: IncomingMessage, res: ServerResponse, error: Error & { statusCode?: number }): void {
    if (res.destroyed || req.destroyed) return;
    const reason = `plain HTTP to ${this.base?.origin}: ${error.message}`;
    this.core.refused("http", 14, reason);
    if (res.headersSent) res.destroy();
    else refuse(res, error.statusCode ?? 502, `The bridge could not forward this: ${reason}\n`);
  }
}

/** What a refusal needs of a response. */
interface Refusable {
  statusCode: number;
  setHeader(name: string, value: string | number): unknown;
  end(text: string): unknown;
}

function refuse(res: Refusable, status: number, text: string): void {
  res.statusCode = status;
  res.setHeader("content-type", "text/plain; charset=utf-8");
  res.setHeader("content-length", Buffer.byteLength(text));
  res.end(text);
}

function refuseGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const text = "This port carries gRPC over HTTP/2; these bytes are neither that nor HTTP/1.\n";
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
}
