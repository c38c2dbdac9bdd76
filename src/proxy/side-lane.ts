import {
  createServer,
  Agent as HttpAgent,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { Agent as HttpsAgent, request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import proxy from "http2-proxy";
import type { Field } from "../http2/hpack/field.ts";
import type { Stream } from "../http2/stream.ts";
import type { Core } from "./core.ts";
import { passOn } from "./side-answer.ts";
import { SideRequest, SideResponse } from "./side-stream.ts";

/** Idle connections kept to the HTTP upstream. */
const KEPT = 64;
/** How long the HTTP upstream may be silent within a request, in milliseconds. */
const SILENCE = 120_000;

/** How often is looked for requests whose head takes too long, in milliseconds. */
const HEAD_CHECK = 1_000;

/** gRPC of any message format, but not gRPC-Web, which is plain HTTP. */
const GRPC = /^application\/grpc(?:$|[+;])/;
const REFUSAL =
  "This port carries gRPC over HTTP/2. Plain HTTP is not forwarded: start reapi-bridge with --http-upstream http://HOST:PORT to name a server for it.\n";
const NOT_HTTP2 =
  "This is gRPC over HTTP/1, but gRPC needs HTTP/2: something between client and bridge, such as a balancer, does not pass HTTP/2 on.\n";

/** Plain HTTP on the gRPC port: `/ac/`, `/cas/`, web pages. Goes to the HTTP upstream by way of http2-proxy, or is refused with a sentence. */
export class SideLane {
  private readonly core: Core;
  private readonly base: URL | null;
  private readonly server: Server;
  private readonly agent: HttpAgent;
  private readonly upgraded = new Set<Duplex>();
  private draining = false;

  constructor(core: Core) {
    this.core = core;
    const { httpUpstream } = core.config;
    this.base = httpUpstream === null ? null : new URL(httpUpstream);
    const secure = this.base?.protocol === "https:";
    const options = { keepAlive: true, maxFreeSockets: KEPT };
    this.agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.server = createServer({
      maxHeaderSize: core.config.limits.maxHeaderListBytes,
      // A body may take any time, a head may not.
      requestTimeout: 0,
      headersTimeout: core.config.timeouts.connectMs,
      connectionsCheckingInterval: HEAD_CHECK,
      // Others, such as h2c, are offers that a server may leave alone (RFC 9110 section 7.8).
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    });
    // It never listens itself; Node keeps track of connections, to time them out and close them, from this event on.
    this.server.emit("listening");
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
    const request = new SideRequest(stream, fields, fin, response);
    if (tooLarge) {
      refuse(response, 431, "The request's headers are too large.\n");
      return;
    }
    void this.serve(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  }

  /** Ends idle connections; those with a request end after it. */
  drain(): void {
    this.draining = true;
    this.server.closeIdleConnections();
  }

  /** Ends everything. */
  cut(): void {
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of this.upgraded) socket.destroy();
    this.agent.destroy();
  }

  private async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const started = performance.now();
    const { base } = this;
    let code = 0;
    if (req.httpVersion !== "2.0" && GRPC.test(req.headers["content-type"] ?? "")) {
      code = 12;
      refuse(res, 505, NOT_HTTP2);
    } else if (base === null) {
      code = 12;
      refuse(res, req.httpVersion === "2.0" && req.method === "POST" ? 415 : 501, REFUSAL);
    } else {
      try {
        await proxy.web(req, res, { ...this.options(base), onRes: passOn } as never);
      } catch (error) {
        code = 14;
        this.failed(req, res, error as Error & { statusCode?: number });
      }
    }
    this.core.metrics.callEnded("http", "side", code, (performance.now() - started) / 1000);
    if (this.draining) setImmediate(() => this.server.closeIdleConnections());
  }

  private async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { base } = this;
    if (base === null) {
      endWith(socket, 501, REFUSAL);
      return;
    }
    // http2-proxy compares the name as it is written.
    req.headers.upgrade = "websocket";
    const sentBefore = (socket as Socket).bytesWritten;
    this.upgraded.add(socket);
    socket.once("close", () => this.upgraded.delete(socket));
    try {
      await proxy.ws(req, socket as Socket, head, this.options(base) as never);
    } catch (error) {
      const { message, statusCode } = error as Error & { statusCode?: number };
      const reason = `plain HTTP to ${base.origin}: ${message}`;
      this.core.refused("http", 14, reason);
      if ((socket as Socket).bytesWritten > sentBefore) socket.destroy();
      else endWith(socket, statusCode ?? 502, `The bridge could not forward this: ${reason}\n`);
    }
  }

  private options(base: URL): object {
    return {
      ...this.target(base),
      onReq: (req: IncomingMessage, options: RequestOptions) => this.forward(base, req, options),
    };
  }

  private target(base: URL): { hostname: string; port: number } {
    return { hostname: base.hostname, port: Number(base.port || (base.protocol === "https:" ? 443 : 80)) };
  }

  private async forward(base: URL, req: IncomingMessage, options: RequestOptions): Promise<never> {
    const path = `${base.pathname.replace(/\/$/, "")}${options.path ?? "/"}`;
    // http2-proxy adds who sent this, or that it does not know.
    const { forwarded: _, ...others } = options.headers as OutgoingHttpHeaders;
    const { forwarded } = req.headers;
    const headers = forwarded === undefined ? others : { ...others, forwarded };
    const full = { ...options, path, headers, agent: this.agent, timeout: SILENCE, ...this.target(base) };
    const send = base.protocol === "https:" ? secureRequest : request;
    const outgoing = send(full);
    // http2-proxy does not listen yet if the client goes away in this very moment, and an error nobody hears ends the process.
    outgoing.on("error", () => {});
    return outgoing as never;
  }

  private failed(req: IncomingMessage, res: ServerResponse, error: Error & { statusCode?: number }): void {
    if (res.destroyed || req.aborted) return;
    const reason = `plain HTTP to ${this.base?.origin}: ${error.message}`;
    this.core.refused("http", 14, reason);
    if (res.headersSent) res.destroy();
    else refuse(res, error.statusCode ?? 502, `The bridge could not forward this: ${reason}\n`);
  }
}

/** What a refusal needs of a response. */
interface Refusable {
  statusCode: number;
  getHeaderNames(): string[];
  removeHeader(name: string): void;
  setHeader(name: string, value: string | number): unknown;
  end(text: string): unknown;
}

function refuse(res: Refusable, status: number, text: string): void {
  // Some may be there already, of an answer that cannot be passed on.
  for (const name of res.getHeaderNames()) res.removeHeader(name);
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
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return endWith(socket, 431, "The request's headers are too large.\n");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return endWith(socket, 408, "The request's headers took too long.\n");
    default:
      endWith(socket, 400, "This port carries gRPC over HTTP/2; these bytes are neither that nor HTTP/1.\n");
  }
}

/** Answers on a socket that has no `ServerResponse`, and ends it. */
function endWith(socket: Duplex, status: number, text: string): void {
  const length = Buffer.byteLength(text);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${length}\r\n\r\n${text}`,
  );
}
