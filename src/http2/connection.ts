import type { Socket } from "node:net";
import type { Budget } from "./budget.ts";
import type { ConnectionOptions, ConnectionOwner, ReadControl } from "./connection-owner.ts";
import { DEFAULT_WINDOW, ErrorCode, errorName, MAX_WINDOW, PREFACE } from "./constants.ts";
import type { ConnectionCounters } from "./counters.ts";
import { FrameParser } from "./frame-parser.ts";
import { FrameReceiver } from "./frame-receiver.ts";
import { FrameWriter } from "./frame-writer.ts";
import { Guards } from "./guard.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { Field } from "./hpack/field.ts";
import { flushAll, Output, scheduleFlush } from "./output.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { SendScheduler } from "./send-scheduler.ts";
import { applySettings, defaultPeerSettings, ownSettings } from "./settings.ts";
import { INITIAL_STREAM_WINDOW, Stream, type StreamSink } from "./stream.ts";
import { StreamIds } from "./stream-ids.ts";
import { StreamTable } from "./stream-table.ts";

/** Bytes waiting for a peer that does not read, above which nothing is done or read that would add to them. */
const OVERFULL = 4 * 1024 * 1024;
/** How long a failed connection's last words may take, in milliseconds. */
const LAST_WORDS = 1_000;
const PING_PAYLOAD = Buffer.from("bridging", "latin1");

/**
 * One HTTP/2 connection, either end of it (RFC 9113): frames in, frames out, flow control, stream states, and guards against peers
 * that make work without moving data (section 10.5). It does no reading of its own: a reader feeds `receive`.
 */
export class Connection {
  readonly writer: FrameWriter;
  readonly receiveWindow: ReceiveWindow;
  /** What the peer allows us to send on the connection. */
  sendWindow: number = DEFAULT_WINDOW;
  /** True once no new stream may be opened or accepted. */
  draining = false;
  /** True once the connection is over. */
  closed = false;
  /** True once the peer's SETTINGS came. */
  settled = false;
  /** Set by the reader; used to stop a peer that does not read what it causes. */
  reader: ReadControl | null = null;
  readonly server: boolean;
  readonly owner: ConnectionOwner;
  readonly streams: StreamTable = new StreamTable();
  readonly ids: StreamIds;
  readonly guards: Guards = new Guards();
  readonly counters: ConnectionCounters;
  readonly budget: Budget;
  private readonly options: ConnectionOptions;
  private readonly socket: Socket;
  private readonly output: Output;
  private readonly parser: FrameParser;
  private readonly encoder = new HpackEncoder();
  private readonly peer = defaultPeerSettings();
  private readonly scheduler = new SendScheduler(this);
  /** Why the peer said it would leave, if that was an error. */
  private farewell: string | null = null;
  private acceptUpTo: number = MAX_WINDOW;
  private readingStopped = false;
  /** Those that are not read while too much waits for the peer of this one. */
  private heldUp: Connection[] = [];

  constructor(socket: Socket, options: ConnectionOptions, owner: ConnectionOwner) {
    this.server = options.role === "server";
    this.options = options;
    this.counters = options.counters;
    this.owner = owner;
    this.socket = socket;
    this.output = new Output(socket, options.counters, () => this.drained());
    this.writer = new FrameWriter(this.output, this.encoder);
    this.ids = new StreamIds(this.server);
    this.parser = new FrameParser(new FrameReceiver(this, options.maxHeaderList), this.server);
    this.budget = options.budget;
    this.receiveWindow = new ReceiveWindow(options.budget, (increment) =>
      this.writer.windowUpdate(0, increment),
    );
    options.counters.connections++;
    options.counters.connectionsTotal++;
    if (!this.server) this.writer.raw(PREFACE);
    this.writer.raw(
      ownSettings({
        server: this.server,
        maxStreams: options.maxStreams,
        initialWindow: INITIAL_STREAM_WINDOW,
        maxHeaderList: options.maxHeaderList,
      }),
    );
    scheduleFlush();
  }

  /** Streams open now. */
  get streamCount(): number {
    return this.streams.size;
  }

  /** Streams opened since the connection began. */
  get streamsOpened(): number {
    return this.ids.opened;
  }

  /** True while so much waits for the peer that streams should hold their data back. */
  get congested(): boolean {
    return this.output.congested;
  }

  /** True while so much waits for the peer that nothing may be added, not even what no window holds back. */
  get overfull(): boolean {
    return this.output.waitingBytes > OVERFULL;
  }

  /** Client role: true if `open` may be called now. */
  get canOpen(): boolean {
    return this.settled && this.alive && !this.overfull && this.streams.size < this.peer.maxConcurrentStreams;
  }

  /** Client role: true if the connection takes, or will take, new streams. */
  get alive(): boolean {
    return !this.closed && !this.draining && this.ids.available;
  }

  /** Client role: opens a stream with a request head. Only while `canOpen`. */
  open(fields: readonly Field[], fin: boolean, sink: StreamSink): Stream {
    const stream = this.addStream(this.ids.take());
    stream.sink = sink;
    stream.sendHeaders(fields, fin);
    return stream;
  }

  /** Takes bytes from the peer; the caller calls `flushAll` when the read event is over. */
  receive(buffer: Buffer, start: number, end: number): void {
    if (this.closed) return;
    this.counters.in += end - start;
    this.parser.feed(buffer, start, end);
    if (this.overfull) this.readAfter(this);
  }

  /** Reads nothing more from the peer until what waits for `other` has left, because it would only add to that. */
  readAfter(other: Connection): void {
    if (this.readingStopped) return;
    this.readingStopped = true;
    this.reader?.pause();
    other.heldUp.push(this);
  }

  /** The peer ended the connection, or it broke. */
  ended(why: string): void {
    this.finish(ErrorCode.CONNECT_ERROR, this.farewell ?? why);
    this.socket.destroy();
  }

  /** Server role: tells the peer to open no more streams, in the two steps of RFC 9113 section 6.8, and closes after the last one. */
  drain(): void {
    if (this.closed || this.draining) return;
    this.draining = true;
    this.writer.goAway(MAX_WINDOW, ErrorCode.NO_ERROR, "shutting down");
    this.writer.ping(false, PING_PAYLOAD, 0);
    setTimeout(() => this.refuseNewStreams(), LAST_WORDS).unref();
    scheduleFlush();
  }

  /** Sends a PING; an upstream that does not answer is noticed by TCP. */
  ping(): void {
    if (!this.closed) this.writer.ping(false, PING_PAYLOAD, 0);
  }

  /** Client role: opens no more streams and closes after the last one. */
  retire(): void {
    this.draining = true;
    this.closeIfIdle();
  }

  /** Closes with GOAWAY; streams that are still open are told `why`. */
  fail(code: number, why: string): void {
    if (this.closed) return;
    if (code === ErrorCode.ENHANCE_YOUR_CALM) this.counters.floodsTotal++;
    else if (code !== ErrorCode.NO_ERROR) this.counters.protocolErrorsTotal++;
    this.writer.goAway(this.ids.lastPeer, code, why);
    this.finish(code, why);
    this.output.end();
    setTimeout(() => this.socket.destroy(), LAST_WORDS).unref();
    flushAll();
  }

  // ---- for streams ----

  /** A stream is over. */
  forget(stream: Stream): void {
    this.streams.remove(stream);
    this.counters.streams--;
    if (this.closed) return;
    if (this.draining) this.closeIfIdle();
    else if (!this.server) this.owner.capacity();
  }

  /** A stream has something queued that may leave when the connection has room. */
  schedule(stream: Stream): void {
    this.scheduler.add(stream);
  }

  // ---- for the receiver of frames ----

  /** Server role: the stream `id` that the peer opens, or null if it is refused. */
  accept(id: number): Stream | null {
    this.ids.accept(id);
    if (id <= this.acceptUpTo && this.streams.size < this.options.maxStreams) return this.addStream(id);
    this.reset(id, ErrorCode.REFUSED_STREAM);
    this.countReset();
    return null;
  }

  /** Sends RST_STREAM; frames may still come for the stream. */
  reset(id: number, code: number): void {
    this.writer.reset(id, code);
    this.counters.resetsTotal++;
    this.ids.addReset(id);
  }

  /** The peer caused a stream to be reset; too many of them fail the connection. */
  countReset(): void {
    if (this.guards.resets.take(Date.now())) return;
    this.fail(ErrorCode.ENHANCE_YOUR_CALM, "too many streams were reset");
  }

  /** The peer lets us send `increment` bytes more on the connection; false if that is more than there can be. */
  grant(increment: number): boolean {
    this.sendWindow += increment;
    return this.sendWindow <= MAX_WINDOW;
  }

  /** Sends what windows and the socket let through. Returns false if nothing was queued. */
  sendQueued(): boolean {
    return this.scheduler.run();
  }

  /** The payload of the peer's SETTINGS, `buffer[start,end)`. */
  applyPeerSettings(buffer: Buffer, start: number, end: number): void {
    const { peer } = this;
    const before = peer.initialWindowSize;
    const code = applySettings(peer, buffer, start, end, !this.server);
    if (code !== ErrorCode.NO_ERROR) return this.fail(code, "a SETTINGS value out of range");
    this.encoder.setPeerTableSize(peer.headerTableSize);
    for (const stream of this.streams.all()) {
      if (!stream.grant(peer.initialWindowSize - before)) {
        return this.fail(ErrorCode.FLOW_CONTROL_ERROR, "SETTINGS that raise a window above 2^31 - 1");
      }
    }
    this.writer.settingsAck();
    const first = !this.settled;
    this.settled = true;
    this.sendQueued();
    if (first) this.owner.ready();
    else if (!this.server) this.owner.capacity();
  }

  /** The peer answered a PING. */
  pingAnswered(payload: Buffer): void {
    if (this.draining && PING_PAYLOAD.equals(payload)) this.refuseNewStreams();
  }

  /** The peer sent GOAWAY: of our streams, those above `last` were not looked at. */
  peerLeaves(last: number, code: number, debug: string): void {
    // A client's GOAWAY concerns pushes only: its own streams go on.
    if (this.server) return;
    const why = `GOAWAY ${errorName(code)}${debug === "" ? "" : ` (${debug})`}`;
    if (code !== ErrorCode.NO_ERROR) this.farewell = why;
    const announced = this.draining;
    this.draining = true;
    for (const stream of this.streams.all()) {
      if (stream.id > last) stream.abort(ErrorCode.REFUSED_STREAM, why);
    }
    if (!announced) this.owner.goingAway(why);
    this.closeIfIdle();
  }

  private addStream(id: number): Stream {
    const stream = new Stream(id, this, this.peer.initialWindowSize);
    this.streams.add(stream);
    this.counters.streams++;
    this.counters.streamsTotal++;
    return stream;
  }

  private drained(): void {
    if (this.closed) return;
    this.releaseHeldUp();
    if (!this.server) this.owner.capacity();
    if (this.sendQueued()) scheduleFlush();
  }

  private releaseHeldUp(): void {
    const { heldUp } = this;
    this.heldUp = [];
    for (const connection of heldUp) {
      connection.readingStopped = false;
      connection.reader?.resume();
    }
  }

  private refuseNewStreams(): void {
    if (this.closed || this.acceptUpTo !== MAX_WINDOW) return;
    this.acceptUpTo = this.ids.lastPeer;
    this.writer.goAway(this.ids.lastPeer, ErrorCode.NO_ERROR, "shutting down");
    scheduleFlush();
    this.closeIfIdle();
  }

  private closeIfIdle(): void {
    if (this.closed || this.streams.size > 0) return;
    if (this.server && this.acceptUpTo === MAX_WINDOW) return;
    this.finish(ErrorCode.NO_ERROR, "finished");
    this.output.end();
    setTimeout(() => this.socket.destroy(), LAST_WORDS).unref();
  }

  private finish(code: number, why: string): void {
    if (this.closed) return;
    this.closed = true;
    this.counters.connections--;
    this.parser.stop();
    for (const stream of this.streams.all()) stream.abort(code, why);
    this.scheduler.clear();
    this.releaseHeldUp();
    this.receiveWindow.close();
    this.owner.closed(why);
  }
}
