import { Connection } from "../http2/connection.ts";
import type { ConnectionOwner } from "../http2/connection-owner.ts";
import { ErrorCode } from "../http2/constants.ts";
import type { SocketReader } from "../http2/socket-reader.ts";
import type { Core } from "./core.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

/** What happens to a connection, for whoever shares it out. */
export interface UpstreamConnectionEvents {
  /** It is ready, or has room again. */
  room(connection: UpstreamConnection): void;
  /** It takes no new streams, though old ones may go on. */
  leaving(connection: UpstreamConnection): void;
  /** It is over. `never` tells that it was of no use at all. */
  lost(connection: UpstreamConnection, why: string, never: boolean): void;
}

/** One connection to the upstream, from its first byte to its last. */
export class UpstreamConnection implements ConnectionOwner {
  readonly http2: Connection;
  private readonly core: Core;
  private readonly upstream: UpstreamTarget;
  private readonly events: UpstreamConnectionEvents;
  private readonly settleTimer: NodeJS.Timeout;
  private firstBytes: string | null = null;
  private pings: NodeJS.Timeout | null = null;

  constructor(core: Core, upstream: UpstreamTarget, reader: SocketReader, events: UpstreamConnectionEvents) {
    this.core = core;
    this.upstream = upstream;
    this.events = events;
    const { config } = core;
    this.http2 = new Connection(
      reader.socket,
      {
        role: "client",
        budget: core.budget,
        counters: core.metrics.upstream,
        maxStreams: 0,
        maxHeaderList: config.limits.maxHeaderListBytes,
      },
      this,
    );
    this.http2.reader = reader;
    reader.start({
      receive: (buffer, start, end) => {
        this.firstBytes ??= buffer.toString("latin1", start, Math.min(end, start + 5));
        this.http2.receive(buffer, start, end);
      },
      ended: (why) => this.http2.ended(why),
    });
    this.settleTimer = setTimeout(() => {
      this.http2.fail(
        ErrorCode.SETTINGS_TIMEOUT,
        `no HTTP/2 settings within ${config.timeouts.connectMs} ms`,
      );
    }, config.timeouts.connectMs);
  }

  request(): void {
    // Only servers get requests.
  }

  ready(): void {
    clearTimeout(this.settleTimer);
    this.upstream.succeeded();
    const { upstreamPingMs } = this.core.config.timeouts;
    if (upstreamPingMs > 0) this.pings = setInterval(() => this.http2.ping(), upstreamPingMs).unref();
    this.events.room(this);
  }

  capacity(): void {
    this.events.room(this);
  }

  goingAway(): void {
    this.events.leaving(this);
  }

  closed(why: string): void {
    clearTimeout(this.settleTimer);
    if (this.pings !== null) clearInterval(this.pings);
    const never = !this.http2.settled;
    this.events.lost(this, never ? this.notHttp2(why) : why, never);
  }

  private notHttp2(why: string): string {
    const { firstBytes } = this;
    if (firstBytes === "HTTP/") return "it speaks HTTP/1, not HTTP/2";
    if (firstBytes?.startsWith("\x15\x03")) return "it expects TLS (write grpcs://HOST:PORT)";
    if (firstBytes !== null) return `it does not speak HTTP/2 (${why})`;
    return `${why} before it sent its HTTP/2 settings; it may expect TLS (grpcs://HOST:PORT)`;
  }
}
