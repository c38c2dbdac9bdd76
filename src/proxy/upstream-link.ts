import type { Connection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/constants.ts";
import type { Core } from "./core.ts";
import { UpstreamConnection, type UpstreamConnectionEvents } from "./upstream-connection.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

/** Connections one client connection may have to the upstream, if the upstream's limit of concurrent streams makes it wait. */
const MOST_CONNECTIONS = 8;

/** A call that needs a stream. */
export interface WaitingCall {
  /** There is room: open the stream now. */
  opened(connection: Connection): void;
  /** There will be none, because of `why`. */
  unavailable(why: string): void;
}

/**
 * The connections of one client connection to one upstream: opened when first needed, more when the upstream's MAX_CONCURRENT_STREAMS is reached,
 * and calls wait in order when that does not help.
 */
export class UpstreamLink implements UpstreamConnectionEvents {
  /** Where its connections lead. */
  readonly upstream: UpstreamTarget;
  private readonly core: Core;
  private readonly connections: UpstreamConnection[] = [];
  private readonly queue = new Set<WaitingCall>();
  private dialing = 0;
  private closed = false;

  constructor(core: Core, upstream: UpstreamTarget) {
    this.core = core;
    this.upstream = upstream;
  }

  /**
   * A connection on which a stream can be opened at once. If there is none, returns null and calls back later, or at once if the
   * upstream is known to be down.
   */
  acquire(call: WaitingCall): Connection | null {
    if (this.queue.size === 0) {
      const free = this.free();
      if (free !== null) return free;
    }
    const down = this.upstream.downBecause;
    if (down !== null && this.dialing === 0 && !this.connections.some((c) => c.http2.alive)) {
      call.unavailable(down);
      return null;
    }
    this.enqueue(call);
    this.dialIfNeeded();
    return null;
  }

  /** The call no longer waits. */
  cancel(call: WaitingCall): void {
    if (this.queue.delete(call)) this.core.metrics.bridge.queued--;
  }

  /** The client is gone: ends all connections. */
  close(): void {
    this.closed = true;
    for (const connection of [...this.connections]) {
      connection.http2.fail(ErrorCode.NO_ERROR, "the client disconnected");
    }
  }

  room(): void {
    while (this.queue.size > 0) {
      const connection = this.free();
      if (connection === null) return this.dialIfNeeded();
      const call = this.queue.values().next().value!;
      this.cancel(call);
      call.opened(connection);
    }
  }

  leaving(): void {
    this.dialIfNeeded();
  }

  lost(connection: UpstreamConnection, why: string, never: boolean): void {
    const at = this.connections.indexOf(connection);
    if (at >= 0) this.connections.splice(at, 1);
    if (!this.closed) this.upstream.interruptions++;
    if (never && !this.closed) this.failed(why);
    else this.dialIfNeeded();
  }

  private free(): Connection | null {
    for (const connection of this.connections) {
      if (connection.http2.canOpen) return connection.http2;
    }
    return null;
  }

  private enqueue(call: WaitingCall): void {
    this.queue.add(call);
    this.core.metrics.bridge.queued++;
  }

  private dialIfNeeded(): void {
    if (this.closed || this.queue.size === 0 || this.dialing > 0) return;
    // A connection still being set up may have room enough.
    const alive = this.connections.filter((c) => c.http2.alive);
    if (alive.length >= MOST_CONNECTIONS || alive.some((c) => !c.http2.settled)) return;
    if (alive.length > 0 && this.upstream.downBecause !== null) return;
    this.dialing++;
    this.upstream.dial().then(
      (reader) => {
        this.dialing--;
        if (this.closed) {
          reader.socket.destroy();
          return;
        }
        this.connections.push(new UpstreamConnection(this.core, this.upstream, reader, this));
      },
      (error: Error) => {
        this.dialing--;
        this.failed(error.message);
      },
    );
  }

  private failed(why: string): void {
    this.core.metrics.bridge.connectFailuresTotal++;
    this.upstream.failed(why);
    if (this.connections.some((c) => c.http2.alive)) return;
    for (const call of [...this.queue]) {
      this.cancel(call);
      call.unavailable(why);
    }
  }
}
