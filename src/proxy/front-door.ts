import { once } from "node:events";
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { formatAddress } from "../config/address.ts";
import { StartError } from "../config/start-error.ts";
import type { Address } from "../config/types.ts";
import { flushAll } from "../http2/output.ts";
import { socketProblem } from "../http2/socket-problem.ts";
import { readAccepted } from "../http2/socket-reader.ts";
import { ClientSession, type SessionHost } from "./client-session.ts";
import type { Core } from "./core.ts";
import { removeDeadSocket } from "./dead-socket.ts";
import { type PemFiles, serverPem } from "./pem-files.ts";
import type { SideLane } from "./side-lane.ts";
import { sniff } from "./sniff.ts";

/** How often certificate files are looked at, in milliseconds. */
const CERTIFICATE_CHECK = 5_000;
/** A TLS alert "protocol_version": what a TLS client shows as an error instead of waiting. */
const TLS_REFUSAL = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 70]);

/** Accepts clients on any number of addresses and hands their connections to who speaks their protocol. */
export class FrontDoor implements SessionHost {
  readonly core: Core;
  readonly sideLane: SideLane;
  private readonly servers: Server[] = [];
  private readonly sessions = new Set<ClientSession>();
  private readonly undecided = new Set<Socket>();
  private readonly pem: PemFiles | null;
  private certificateTimer: NodeJS.Timeout | null = null;

  constructor(core: Core, sideLane: SideLane) {
    this.core = core;
    this.sideLane = sideLane;
    const { tls } = core.config;
    this.pem = tls && serverPem(tls);
  }

  /**
   * Starts listening and returns where, with the real port. With `reusePort` several threads share the port. Throws a `StartError` of
   * kind `listen` or `config`.
   */
  async listen(address: Address, reusePort: boolean): Promise<Address> {
    const name = formatAddress(address);
    const server = this.pem === null ? this.plainServer(name) : this.tlsServer(this.pem, name);
    const options: ListenOptions =
      address.kind === "unix"
        ? { path: address.path }
        : { host: address.host, port: address.port, reusePort };
    try {
      if (address.kind === "unix") await removeDeadSocket(address.path);
      server.listen({ ...options, backlog: 4096 });
      await once(server, "listening");
    } catch (error) {
      throw listenFailure(address, error as NodeJS.ErrnoException);
    }
    this.servers.push(server);
    if (address.kind === "unix") return address;
    return { kind: "tcp", host: address.host, port: (server.address() as AddressInfo).port };
  }

  ended(session: ClientSession): void {
    this.sessions.delete(session);
  }

  /** Accepts nobody any more and asks every client to leave. Resolves when the last one has. */
  async drain(): Promise<void> {
    if (this.certificateTimer !== null) clearInterval(this.certificateTimer);
    const closed = this.servers.map((server) => new Promise((done) => server.close(done)));
    for (const socket of this.undecided) socket.destroy();
    for (const session of this.sessions) session.drain();
    this.sideLane.drain();
    flushAll();
    await Promise.all(closed);
  }

  /** Ends the connections that are left. */
  cut(): void {
    for (const session of [...this.sessions]) session.cut("shutting down");
    this.sideLane.cut();
  }

  private plainServer(name: string): Server {
    return createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (socket) =>
      this.greet(socket, name),
    );
  }

  private tlsServer(pem: PemFiles, name: string): Server {
    const { core } = this;
    const server: TlsServer = createTlsServer(
      {
        ...pem.options(),
        ...(core.config.tls?.clientCa && { requestCert: true, rejectUnauthorized: true }),
        ALPNProtocols: ["h2", "http/1.1"],
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
        handshakeTimeout: core.config.timeouts.connectMs,
      } as object,
      (socket: TLSSocket) => {
        if (socket.alpnProtocol === "h2") this.serveHttp2(socket, null, name);
        else if (socket.alpnProtocol === "http/1.1") this.sideLane.socket(socket);
        else this.greet(socket, name);
      },
    );
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      const reason = handshakeProblem(error, socket);
      core.log.warn({ client: socket.remoteAddress, reason }, "TLS handshake failed");
    });
    this.certificateTimer = setInterval(() => this.renew(server, pem), CERTIFICATE_CHECK).unref();
    return server;
  }

  private renew(server: TlsServer, pem: PemFiles): void {
    if (!pem.changed()) return;
    try {
      server.setSecureContext(pem.options());
      this.core.log.info("the TLS certificate was read again");
    } catch (error) {
      this.core.log.error(
        { reason: (error as Error).message },
        "the new TLS certificate is not used; the old one stays",
      );
    }
  }

  private greet(socket: Socket, name: string): void {
    this.undecided.add(socket);
    socket.on("error", () => {});
    sniff(socket, this.core.config.timeouts.connectMs, (protocol, bytes) => {
      this.undecided.delete(socket);
      if (protocol === "http2") {
        this.serveHttp2(socket, bytes, name);
      } else if (protocol === "http1") {
        socket.unshift(bytes);
        this.sideLane.socket(socket);
      } else if (protocol === "tls") {
        this.core.log.warn(
          { client: socket.remoteAddress },
          "a client speaks TLS to this plain port: give it grpc://, or the bridge a certificate",
        );
        socket.end(TLS_REFUSAL);
      }
    });
  }

  private serveHttp2(socket: Socket, bytes: Buffer | null, name: string): void {
    const reader = readAccepted(socket, this.core.config.readPath === "auto");
    const session = new ClientSession(this, reader, name);
    this.sessions.add(session);
    if (bytes !== null) session.receive(bytes);
  }
}

function handshakeProblem(error: NodeJS.ErrnoException, socket: TLSSocket): string {
  if (error.code === "ERR_SSL_HTTP_REQUEST" || error.code === "ERR_SSL_WRONG_VERSION_NUMBER")
    return "it does not speak TLS, which this port requires";
  const { authorizationError } = socket;
  if (authorizationError) return `its certificate is not accepted (${authorizationError})`;
  return socketProblem(error);
}

function listenFailure(address: Address, error: NodeJS.ErrnoException): StartError {
  const where = address.kind === "unix" ? `unix:${address.path}` : `${address.host}:${address.port}`;
  const why = error.code === "EADDRINUSE" ? "the address is in use" : error.message;
  return new StartError("listen", `cannot listen on ${where}: ${why}. Choose another with --listen`, {
    cause: error,
  });
}
