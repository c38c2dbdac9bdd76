import type { Config, Upstream } from "../config/types.ts";
import { type Field, makeField } from "../http2/hpack/field.ts";
import { internName } from "../http2/hpack/name.ts";
import type { SocketReader } from "../http2/socket-reader.ts";
import { Dialer } from "./dialer.ts";

/** Waiting times between failed attempts, in milliseconds: short enough that a restarted server is found at once. */
const FIRST_BACK_OFF = 50;
const LONGEST_BACK_OFF = 2_000;

/** An upstream that is reached over the network. */
type Remote = Extract<Upstream, { kind: "address" }>;

/**
 * One upstream, as everybody who connects to it sees it: how to dial it, what to call it, and whether trying again makes
 * sense now.
 */
export class UpstreamTarget {
  /** The address for people. */
  readonly display: string;
  /** The `:authority` to send instead of the client's; null leaves the client's. */
  readonly authority: Field | null;
  /** The `:scheme` to send. */
  readonly scheme: Field;
  private readonly dialer: Dialer;
  private backOff = FIRST_BACK_OFF;
  /** How often a connection was lost that clients still had: whoever answers next may be another server. */
  interruptions = 0;
  private quietUntil = 0;
  private problem: string | null = null;

  constructor(remote: Remote, config: Config) {
    this.display = remote.display;
    this.authority = authorityField(remote);
    this.scheme = makeField(internName(":scheme"), remote.tls === null ? "http" : "https", { index: true });
    this.dialer = new Dialer(remote.address, remote.tls, config.timeouts.connectMs);
  }

  /** Throws a `StartError` if the TLS files cannot be used. */
  checkFiles(): void {
    this.dialer.checkFiles();
  }

  /** Why the upstream is not worth trying at this moment, or null. */
  get downBecause(): string | null {
    return this.problem !== null && Date.now() < this.quietUntil ? this.problem : null;
  }

  /** The last failure, or null while connections succeed. */
  get lastProblem(): string | null {
    return this.problem;
  }

  /** A new connection; rejects with a `DialError`. The caller reports with `succeeded` or `failed` whether it was of use. */
  dial(): Promise<SocketReader> {
    return this.dialer.dial();
  }

  /** A connection was made and the upstream spoke HTTP/2 on it. */
  succeeded(): void {
    this.problem = null;
    this.backOff = FIRST_BACK_OFF;
  }

  /** An attempt failed because of `problem`; the next one waits a little longer than this one did. */
  failed(problem: string): void {
    this.problem = problem;
    this.quietUntil = Date.now() + this.backOff;
    this.backOff = Math.min(LONGEST_BACK_OFF, this.backOff * 2);
  }
}

function authorityField(remote: Remote): Field | null {
  if (remote.authority === "client") return null;
  const { address } = remote;
  const own =
    address.kind === "unix" ? "localhost" : hostAndPort(remote.tls?.serverName ?? address.host, address.port);
  return makeField(internName(":authority"), remote.authority === "upstream" ? own : remote.authority.fixed, {
    index: true,
  });
}

function hostAndPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
