import { Connection } from "../http2/connection.ts";
import type { ConnectionOwner } from "../http2/connection-owner.ts";
import { type Field, listSize } from "../http2/hpack/field.ts";
import type { SocketReader } from "../http2/socket-reader.ts";
import type { Stream } from "../http2/stream.ts";
import { Status } from "../wire/status.ts";
import { AwaitedMessage } from "./awaited-message.ts";
import type { Core } from "./core.ts";
import { HeldCall } from "./held-call.ts";
import { Links } from "./links.ts";
import { endCall } from "./local-reply.ts";
import { toCallError } from "./messages/call-error.ts";
import { OpenedCall } from "./messages/opened-call.ts";
import { OwnCall } from "./messages/own-call.ts";
import { metadataOf } from "./messages/request-fields.ts";
import { type Beginner, RelayCall } from "./relay-call.ts";
import { isGrpc, type RequestHead, readHead } from "./request-head.ts";
import type { ByMessage } from "./routing/by-message.ts";
import type { Ask, HeadEdit, OpenedRoute, Wait, Way } from "./routing/route.ts";
import type { SideLane } from "./side-lane.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

const MESSAGE: Wait = { for: "message" };

/** What a session needs of the front door. */
export interface SessionHost {
  readonly core: Core;
  readonly sideLane: SideLane;
  /** The session is over. */
  ended(session: ClientSession): void;
}

/** One client's HTTP/2 connection and the upstream connections that serve it: decides for each request which lane it takes. */
export class ClientSession implements ConnectionOwner, Beginner {
  private readonly host: SessionHost;
  private readonly http2: Connection;
  private readonly links: Links;
  private readonly listener: string;
  private idleTimer: NodeJS.Timeout | null = null;
  private readonly leaving = new AbortController();
  private readonly ask: Ask = (upstream, fields, withinMs) => {
    const { core } = this.host;
    for (const field of fields) field.retain();
    // Others may wait for the answer as well: neither the deadline nor the end of this call matters to it.
    const caller = {
      metadata: metadataOf(fields),
      deadline: performance.now() + withinMs,
      cancelled: this.leaving.signal,
    };
    const link = this.links.own(upstream);
    return {
      open: (path, resourceName) => new OwnCall(core, link, path, caller, resourceName),
      budget: core.budget,
    };
  };

  /** `listener` is the address that the client came in at, as the configuration names it. */
  constructor(host: SessionHost, reader: SocketReader, listener: string) {
    const { core } = host;
    const { limits, timeouts } = core.config;
    this.host = host;
    this.links = new Links(core);
    this.listener = listener;
    this.http2 = new Connection(
      reader.socket,
      {
        role: "server",
        budget: core.budget,
        counters: core.metrics.client,
        maxStreams: limits.maxStreamsPerConnection,
        maxHeaderList: limits.maxHeaderListBytes,
      },
      this,
    );
    this.http2.reader = reader;
    reader.start(this.http2);
    if (timeouts.idleMs > 0) this.watchIdle(timeouts.idleMs);
  }

  /** Takes bytes that were read before the session existed. */
  receive(bytes: Buffer): void {
    this.http2.receive(bytes, 0, bytes.length);
  }

  /** Asks the client to go elsewhere; the connection ends after its last call. */
  drain(): void {
    this.http2.drain();
  }

  /** Ends the connection now. */
  cut(why: string): void {
    this.http2.fail(0, why);
  }

  request(stream: Stream, fields: readonly Field[], fin: boolean, tooLarge: boolean): void {
    const { core, sideLane } = this.host;
    const head = readHead(fields);
    if (!isGrpc(head)) {
      sideLane.stream(stream, fields, fin, tooLarge);
    } else if (tooLarge) {
      const limit = core.config.limits.maxHeaderListBytes;
      this.refuse(
        stream,
        head,
        Status.RESOURCE_EXHAUSTED,
        `the call's headers are larger than the bridge's limit of ${limit} bytes`,
      );
    } else if (head.probe !== "" && head.probe === core.probeId) {
      endCall(stream, { code: Status.FAILED_PRECONDITION, message: LOOP_MESSAGE }, false);
    } else {
      this.route(stream, head.path, fields, fin);
    }
  }

  private route(stream: Stream, path: string, fields: readonly Field[], fin: boolean): void {
    const { listener, ask } = this;
    const routed = this.host.core.router.route({ path, fields, listener, instance: null }, ask);
    if ("upstream" in routed) this.start(routed, stream, path, fields, fin);
    else this.hold(routed, stream, path, fields, fin);
  }

  private hold(wait: Wait, stream: Stream, path: string, fields: readonly Field[], fin: boolean): void {
    const { core } = this.host;
    const { listener, ask } = this;
    new HeldCall(core, stream, path, fields, fin, wait, ({ instance, head, bare }) => {
      const again = core.router.route({ path, fields: head, listener, instance }, ask);
      if (!("upstream" in again)) return again;
      this.start(again, stream, path, head, bare);
      return null;
    });
  }

  private start(way: Way, stream: Stream, path: string, given: readonly Field[], fin: boolean): void {
    const { core } = this.host;
    const { route, upstream } = way;
    const fields = route?.head === undefined ? given : this.edited(route.head, given, stream, path);
    if (fields === null) return;
    if (route?.lane === "by-message") {
      this.startByMessage(route.by, upstream, stream, path, fields, fin);
      return;
    }
    if (route === null || route.lane === "relay") {
      const filter = route === null ? null : route.filter;
      new RelayCall(core, this.links.relay(upstream), stream, path, fields, fin, filter);
      return;
    }
    const call = new OpenedCall(core, this.links, upstream, stream, route.lane, path, fields, fin);
    void call.run(route.handle);
  }

  private startByMessage(
    by: ByMessage,
    upstream: UpstreamTarget,
    stream: Stream,
    path: string,
    fields: readonly Field[],
    fin: boolean,
  ): void {
    const { core } = this.host;
    if (by.settled && !fin && core.budget.fitsHead(listSize(fields))) {
      const { filter } = by.relayed;
      new RelayCall(core, this.links.relay(upstream), stream, path, fields, fin, filter, by, this);
      return;
    }
    AwaitedMessage.of(core, stream, path, fields, fin, {
      start: (first, head, bare) =>
        this.start({ upstream, route: by.choose(first) }, stream, path, head, bare),
      hold: (head) => this.holdForMessage(by, upstream, stream, path, head),
    });
  }

  /** A call that was begun as a relayed one, and is none: goes `way`, or waits for more of its first message. */
  anew(
    way: OpenedRoute | null,
    by: ByMessage,
    upstream: UpstreamTarget,
    stream: Stream,
    path: string,
    head: readonly Field[],
  ): void {
    if (way === null) this.holdForMessage(by, upstream, stream, path, head);
    else this.start({ upstream, route: way }, stream, path, head, false);
  }

  private holdForMessage(
    by: ByMessage,
    upstream: UpstreamTarget,
    stream: Stream,
    path: string,
    fields: readonly Field[],
  ): void {
    const { core } = this.host;
    new HeldCall(core, stream, path, fields, false, MESSAGE, ({ head, bare, first }) => {
      this.start({ upstream, route: by.choose(first) }, stream, path, head, bare);
      return null;
    });
  }

  /** The head as the upstream is to get it; null if the call was refused over it. */
  private edited(
    edit: HeadEdit,
    fields: readonly Field[],
    stream: Stream,
    path: string,
  ): readonly Field[] | null {
    const { core } = this.host;
    try {
      return edit(fields);
    } catch (error) {
      const { ending } = toCallError(error, core.log, path);
      core.refused(path, ending.code, ending.message);
      core.metrics.callEnded(path, "reject", ending.code, 0);
      endCall(stream, ending, false);
      return null;
    }
  }

  ready(): void {
    // Clients may call before their settings are read.
  }

  capacity(): void {
    // The client opens streams, not the bridge.
  }

  goingAway(): void {
    // A client that leaves closes its connection itself.
  }

  closed(): void {
    if (this.idleTimer !== null) clearInterval(this.idleTimer);
    this.leaving.abort();
    this.links.close();
    this.host.ended(this);
  }

  private refuse(stream: Stream, head: RequestHead, code: number, message: string): void {
    this.host.core.refused(head.path, code, message);
    this.host.core.metrics.callEnded(head.path, "reject", code, 0);
    endCall(stream, { code, message }, false);
  }

  private watchIdle(idleMs: number): void {
    let calls = -1;
    this.idleTimer = setInterval(() => {
      const { streamCount, streamsOpened } = this.http2;
      if (streamCount === 0 && streamsOpened === calls) this.http2.drain();
      calls = streamsOpened;
    }, idleMs).unref();
  }
}

/** What the bridge answers to its own start-up probe: the upstream it was given leads back to it. */
export const LOOP_MESSAGE = "this call came from the bridge itself: its upstream leads back to it";
