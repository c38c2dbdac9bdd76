import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import type { Address, UpstreamTls } from "../config/types.ts";
import { socketProblem } from "../http2/socket-problem.ts";
import { BufferReader, type SocketReader } from "../http2/socket-reader.ts";
import { type PemFiles, upstreamPem } from "./pem-files.ts";

/** TCP keep-alive: notices an upstream that vanished without a word. In milliseconds. */
const KEEP_ALIVE = 30_000;

/** An attempt to reach the upstream failed; the message says why, for people. */
class DialError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DialError";
  }
}

type Endpoint = { readonly path: string } | { readonly host: string; readonly port: number };

/** Opens connections to one upstream address. Names are resolved anew for each connection, and each turn starts at another address. */
export class Dialer {
  private readonly address: Address;
  private readonly tls: UpstreamTls | null;
  private readonly pem: PemFiles | null;
  private readonly timeout: number;
  private turn = 0;

  /** `timeout` bounds one attempt, TLS included, in milliseconds. */
  constructor(address: Address, tls: UpstreamTls | null, timeout: number) {
    this.address = address;
    this.tls = tls;
    this.timeout = timeout;
    this.pem = tls && upstreamPem(tls);
  }

  /** Reads the TLS files, if any: throws a `StartError` if they cannot be used. */
  checkFiles(): void {
    this.pem?.options();
  }

  /** A new connection, ready to be written to; rejects with a `DialError` when no address takes one. */
  async dial(): Promise<SocketReader> {
    const endpoints = await this.resolve();
    const first = this.turn++;
    let problem = "";
    for (let i = 0; i < endpoints.length; i++) {
      try {
        return await this.connect(endpoints[(first + i) % endpoints.length]!);
      } catch (error) {
        problem = explain(error as NodeJS.ErrnoException);
      }
    }
    throw new DialError(problem);
  }

  private async resolve(): Promise<Endpoint[]> {
    const { address } = this;
    if (address.kind === "unix") return [{ path: address.path }];
    const { host, port } = address;
    if (isIP(host) !== 0) return [{ host, port }];
    try {
      const found = await lookup(host, { all: true });
      return found.map((entry) => ({ host: entry.address, port }));
    } catch (error) {
      throw new DialError(`the name ${host} does not resolve (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  private async connect(endpoint: Endpoint): Promise<SocketReader> {
    const reader = new BufferReader();
    const options = {
      ...endpoint,
      onread: reader.options,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE,
    };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let socket: Socket;
    if (this.tls === null) {
      socket = connectTcp(options, resolve);
    } else {
      const secure = connectTls({ ...options, ...this.secureOptions(this.tls) }, () =>
        checkProtocol(secure, resolve, reject),
      );
      socket = secure;
    }
    reader.socket = socket;
    socket.once("error", reject);
    socket.once("close", () => reject(new DialError("the connection was closed during set-up")));
    const timer = setTimeout(
      () => reject(new DialError(`no answer within ${this.timeout} ms`)),
      this.timeout,
    );
    try {
      await promise;
      return reader;
    } catch (error) {
      socket.on("error", () => {});
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      socket.off("error", reject);
    }
  }

  private secureOptions(tls: UpstreamTls): ConnectionOptions {
    const name = tls.serverName ?? (this.address.kind === "tcp" ? this.address.host : "localhost");
    return {
      ...this.pem!.options(),
      secureContext: this.pem!.context(),
      ALPNProtocols: ["h2"],
      // An address is no name to ask for (RFC 6066 section 3), but it is what the certificate is checked against.
      ...(isIP(name) === 0 ? { servername: name } : { host: name }),
      rejectUnauthorized: tls.insecureSkipVerify !== true,
    };
  }
}

function checkProtocol(socket: TLSSocket, resolve: () => void, reject: (error: Error) => void): void {
  // Some servers speak HTTP/2 without saying so in ALPN; one that chose another protocol does not.
  if (socket.alpnProtocol === "h2" || socket.alpnProtocol === false) resolve();
  else reject(new DialError(`it does not speak HTTP/2 over TLS (it chose ${socket.alpnProtocol})`));
}

function explain(error: NodeJS.ErrnoException): string {
  if (error instanceof DialError) return error.message;
  switch (error.code) {
    case "ECONNRESET":
      return "the connection was reset during set-up";
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return "it does not speak TLS (for a plain port write grpc://HOST:PORT)";
    case "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL":
      return "it does not speak HTTP/2 over TLS (it accepts no h2 in ALPN)";
    default:
      return socketProblem(error);
  }
}
