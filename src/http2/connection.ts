import type { Duplex } from "node:stream";
import type { Budget } from "./budget.ts";
import { DEFAULT_WINDOW, ErrorCode, errorName, Flag, FrameType, MAX_WINDOW, PREFACE } from "./constants.ts";
import type { ConnectionCounters } from "./counters.ts";
import { type FrameHandler, FrameParser } from "./frame-parser.ts";
import { FrameWriter } from "./frame-writer.ts";
import { Guards } from "./guard.ts";
import { HeaderBlock } from "./header-block.ts";
import { checkRequest, checkResponse, checkTrailers } from "./header-rules.ts";
import { HpackDecoder, HpackError } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { Field } from "./hpack/field.ts";
import { flushAll, Output, scheduleFlush } from "./output.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { applySettings, defaultPeerSettings, ownSettings } from "./settings.ts";
import { HeadKind, INITIAL_STREAM_WINDOW, Stream, type StreamSink } from "./stream.ts";
import { StreamHistory } from "./stream-history.ts";
import { StreamTable } from "./stream-table.ts";

/** Bytes one stream sends before the next one gets its turn. */
const QUANTUM = 65_536;
/** Bytes waiting for a peer that does not read, above which nothing more is read from it: it would only cause more. */
const STOP_READING_ABOVE = 4 * 1024 * 1024;
/** How long a failed connection's last words may take, in milliseconds. */
const LAST_WORDS = 1_000;
const PING_PAYLOAD = Buffer.from("bridging", "latin1");

/** What a connection tells whoever made it. */
export interface ConnectionOwner {
  /**
   * Server role: a new request. The owner sets `stream.sink` before it returns. `fields` is valid during the call only; with `tooLarge`
   * the list exceeded the limit and is cut.
   */
  request(stream: Stream, fields: readonly Field[], fin: boolean, tooLarge: boolean): void;
  /** The peer's first SETTINGS came: it does speak HTTP/2. */
  ready(): void;
  /** Client role: a stream ended or the peer's limit changed, so there may be room for another stream. */
  capacity(): void;
  /** The peer will take no new streams. */
  goingAway(why: string): void;
  /** The connection is over; every stream has been told. */
  closed(why: string): void;
}

/** What a connection needs to know. */
export interface ConnectionOptions {
  readonly role: "server" | "client";
  readonly budget: Budget;
  readonly counters: ConnectionCounters;
  /** Streams the peer may have open at once (server role). */
  readonly maxStreams: number;
  /** The largest header list, in bytes as RFC 9113 section 6.5.2 counts them. */
  readonly maxHeaderList: number;
}

/** Stops and restarts the delivery of bytes. */
export interface ReadControl {
  pause(): void;
  resume(): void;
}

/**
 * One HTTP/2 connection, either end of it (RFC 9113): frames in, frames out, flow control, stream states, and guards against peers
 * that make work without moving data (section 10.5). It does no reading of its own: a reader feeds `receive`.
 */
export class Connection implements FrameHandler {
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
  private readonly server: boolean;
  private readonly options: ConnectionOptions;
  private readonly owner: ConnectionOwner;
  private readonly socket: Duplex;
  private readonly output: Output;
  private readonly parser: FrameParser;
  private readonly encoder = new HpackEncoder();
  private readonly decoder = new HpackDecoder();
  private readonly block: HeaderBlock;
  private readonly peer = defaultPeerSettings();
  private readonly streams = new StreamTable();
  private readonly history = new StreamHistory();
  private readonly guards = new Guards();
  private readonly fields: Field[] = [];
  private ready: Stream[] = [];
  private lastPeerStream = 0;
  private nextStream = 1;
  private acceptUpTo: number = MAX_WINDOW;
  private readingStopped = false;

  constructor(socket: Duplex, options: ConnectionOptions, owner: ConnectionOwner) {
    this.server = options.role === "server";
    this.options = options;
    this.owner = owner;
    this.socket = socket;
    this.output = new Output(socket, options.counters, () => this.drained());
    this.writer = new FrameWriter(this.output, this.encoder);
    this.parser = new FrameParser(this, this.server);
    this.block = new HeaderBlock(2 * options.maxHeaderList);
    this.decoder.maxListSize = options.maxHeaderList;
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
    return (this.server ? this.lastPeerStream : this.nextStream) >> 1;
  }

  /** True while so much waits for the peer that streams should hold their data back. */
  get congested(): boolean {
    return this.output.congested;
  }

  /** Client role: true if `open` may be called now. */
  get canOpen(): boolean {
    return this.settled && this.alive && this.streams.size < this.peer.maxConcurrentStreams;
  }

  /** Client role: true if the connection takes, or will take, new streams. */
  get alive(): boolean {
    return !this.closed && !this.draining && this.nextStream < MAX_WINDOW;
  }

  /** Client role: opens a stream with a request head. Only while `canOpen`. */
  open(fields: readonly Field[], fin: boolean, sink: StreamSink): Stream {
    const stream = this.addStream(this.nextStream);
    this.nextStream += 2;
    stream.sink = sink;
    stream.sendHeaders(fields, fin);
    return stream;
  }

  /** Takes bytes from the peer; the caller calls `flushAll` when the read event is over. */
  receive(buffer: Buffer, start: number, end: number): void {
    if (this.closed) return;
    this.options.counters.in += end - start;
    this.parser.feed(buffer, start, end);
    if (this.output.waitingBytes > STOP_READING_ABOVE && !this.readingStopped) {
      this.readingStopped = true;
      this.reader?.pause();
    }
  }

  /** The peer ended the connection, or it broke. */
  ended(why: string): void {
    this.finish(ErrorCode.CONNECT_ERROR, why);
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
    if (code === ErrorCode.ENHANCE_YOUR_CALM) this.options.counters.floodsTotal++;
    else if (code !== ErrorCode.NO_ERROR) this.options.counters.protocolErrorsTotal++;
    this.writer.goAway(this.lastPeerStream, code, why);
    this.finish(code, why);
    this.output.flush();
    this.socket.end();
    setTimeout(() => this.socket.destroy(), LAST_WORDS).unref();
    flushAll();
  }

  // ---- for streams ----

  /** Frames may still come for a stream that we reset. */
  rememberReset(id: number): void {
    this.options.counters.resetsTotal++;
    this.history.addReset(id);
  }

  /** The peer caused a stream to be reset; too many of them fail the connection. */
  countReset(): void {
    if (!this.guards.resets.take(Date.now()))
      this.fail(ErrorCode.ENHANCE_YOUR_CALM, "too many streams were reset");
  }

  /** A stream is over. */
  forget(stream: Stream): void {
    this.streams.remove(stream);
    this.options.counters.streams--;
    if (this.closed) return;
    if (this.draining) this.closeIfIdle();
    else if (!this.server) this.owner.capacity();
  }

  /** A stream has something queued that may leave when the connection has room. */
  schedule(stream: Stream): void {
    if (stream.scheduled) return;
    stream.scheduled = true;
    this.ready.push(stream);
  }

  // ---- from the parser ----

  onData(id: number, buffer: Buffer, start: number, end: number, fin: boolean, padding: number): void {
    if (this.closed) return;
    if (this.block.streamId !== 0 || !this.settled) return this.unexpected(FrameType.DATA);
    const bytes = end - start + padding;
    const stream = this.streams.get(id);
    let held = 0;
    if (bytes === 0 && !fin) this.overhead();
    else this.guards.overhead.earn();
    if (stream === undefined) this.dataOnClosed(id);
    else if (stream.remoteDone) stream.fail(ErrorCode.STREAM_CLOSED, "data after the end of the stream");
    else if (!this.server && !stream.headReceived)
      stream.fail(ErrorCode.PROTOCOL_ERROR, "data before the response's head");
    else held = stream.receive(buffer, start, end, fin, padding);
    if (!this.receiveWindow.received(bytes, held)) {
      this.fail(ErrorCode.FLOW_CONTROL_ERROR, "more data than the connection's window allows");
    }
  }

  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (this.closed) return;
    if (this.block.streamId !== 0 && (type !== FrameType.CONTINUATION || id !== this.block.streamId)) {
      return this.unexpected(type);
    }
    if (!this.settled && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0))
      return this.unexpected(type);
    switch (type) {
      case FrameType.HEADERS:
        return this.onHeaders(flags, id, buffer, start, end);
      case FrameType.CONTINUATION:
        return this.onContinuation(flags, id, buffer, start, end);
      case FrameType.WINDOW_UPDATE:
        return this.onWindowUpdate(id, buffer, start, end);
      case FrameType.RST_STREAM:
        return this.onReset(id, buffer, start, end);
      case FrameType.SETTINGS:
        return this.onSettings(flags, id, buffer, start, end);
      case FrameType.PING:
        return this.onPing(flags, id, buffer, start, end);
      case FrameType.GOAWAY:
        return this.onGoAway(id, buffer, start, end);
      case FrameType.PRIORITY:
        return this.onPriority(id, buffer, start, end);
      case FrameType.PUSH_PROMISE:
        return this.fail(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE, which the bridge does not allow");
      default:
        this.overhead();
    }
  }

  onViolation(code: number, why: string): void {
    this.fail(code, why);
  }

  private onHeaders(flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    let start = from;
    let end = to;
    if (id === 0) return this.fail(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream 0");
    if ((flags & Flag.PADDED) !== 0) {
      if (start === end) return this.wrongSize(FrameType.HEADERS);
      end -= buffer[start]!;
      start++;
    }
    if ((flags & Flag.PRIORITY) !== 0) {
      if (end - start < 5 && to - from < 5) return this.wrongSize(FrameType.HEADERS);
      if ((buffer.readUInt32BE(start) & 0x7fff_ffff) === id) return this.dependsOnItself(id);
      start += 5;
    }
    if (end < start) return this.fail(ErrorCode.PROTOCOL_ERROR, "HEADERS with more padding than payload");
    const fin = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) return this.onBlock(id, fin, buffer, start, end);
    this.gather(this.block.begin(id, fin, buffer, start, end));
  }

  private onContinuation(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (this.block.streamId === 0 || id !== this.block.streamId)
      return this.unexpected(FrameType.CONTINUATION);
    this.gather(this.block.add(buffer, start, end));
    if (this.closed || (flags & Flag.END_HEADERS) === 0) return;
    const { fin } = this.block;
    const block = this.block.finish();
    this.onBlock(id, fin, block, 0, block.length);
  }

  private gather(code: number): void {
    if (code !== ErrorCode.NO_ERROR) this.fail(code, "a header block beyond the limit");
  }

  private onBlock(id: number, fin: boolean, buffer: Buffer, start: number, end: number): void {
    const { fields, decoder } = this;
    fields.length = 0;
    try {
      decoder.decode(buffer, start, end, fields);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      return this.fail(ErrorCode.COMPRESSION_ERROR, error.message);
    }
    this.guards.overhead.earn();
    const stream = this.streams.get(id);
    if (stream !== undefined) this.headOfKnown(stream, fin);
    else if (this.server && (id & 1) === 1 && id > this.lastPeerStream) this.accept(id, fin);
    else this.headersOnClosed(id);
  }

  private accept(id: number, fin: boolean): void {
    const { fields, decoder } = this;
    this.history.addOpened(this.lastPeerStream === 0 ? -1 : this.lastPeerStream, id);
    this.lastPeerStream = id;
    if (id > this.acceptUpTo || this.streams.size >= this.options.maxStreams) {
      this.writer.reset(id, ErrorCode.REFUSED_STREAM);
      this.rememberReset(id);
      this.countReset();
      return;
    }
    const stream = this.addStream(id);
    const tooLarge = decoder.listSize > decoder.maxListSize;
    const facts = checkRequest(fields);
    // A list that was cut may lack what it ought to have; it is answered, not judged.
    const problem = decoder.malformed ? "a header with illegal characters" : tooLarge ? null : facts.problem;
    if (problem !== null) return stream.fail(ErrorCode.PROTOCOL_ERROR, problem);
    stream.headReceived = true;
    if (facts.contentLength >= 0) stream.expectBody(facts.contentLength);
    if (fin && !stream.endRemote())
      return stream.fail(ErrorCode.PROTOCOL_ERROR, "no body, though content-length announced one");
    this.owner.request(stream, fields, fin, tooLarge);
  }

  private headOfKnown(stream: Stream, fin: boolean): void {
    const { fields, decoder } = this;
    if (stream.remoteDone) return stream.fail(ErrorCode.STREAM_CLOSED, "headers after the end of the stream");
    const final = !stream.headReceived;
    const facts = final ? checkResponse(fields) : checkTrailers(fields);
    const informational = final && facts.status < 200;
    const tooLarge = decoder.listSize > decoder.maxListSize;
    if (tooLarge)
      return stream.fail(
        ErrorCode.ENHANCE_YOUR_CALM,
        `headers larger than ${this.options.maxHeaderList} bytes`,
      );
    if (decoder.malformed) return stream.fail(ErrorCode.PROTOCOL_ERROR, "a header with illegal characters");
    if (facts.problem !== null) return stream.fail(ErrorCode.PROTOCOL_ERROR, facts.problem);
    if (informational ? fin : !final && !fin) {
      return stream.fail(
        ErrorCode.PROTOCOL_ERROR,
        final ? "a 1xx response that ends the stream" : "trailers that do not end the stream",
      );
    }
    if (final && !informational) {
      stream.headReceived = true;
      // A response to HEAD announces a body and has none, so a head that ends the stream promises nothing.
      if (facts.contentLength >= 0 && !fin) stream.expectBody(facts.contentLength);
    }
    if (fin && !stream.endRemote())
      return stream.fail(ErrorCode.PROTOCOL_ERROR, "a body shorter than its content-length");
    stream.sink.headers(
      fields,
      informational ? HeadKind.INFORMATIONAL : final ? HeadKind.FINAL : HeadKind.TRAILERS,
      fin,
    );
    if (fin) stream.closeIfDone();
  }

  private onWindowUpdate(id: number, buffer: Buffer, start: number, end: number): void {
    if (end - start !== 4) return this.wrongSize(FrameType.WINDOW_UPDATE);
    const increment = buffer.readUInt32BE(start) & 0x7fff_ffff;
    const stream = this.streams.get(id);
    if (id !== 0 && stream === undefined) {
      if (this.isIdle(id)) this.unexpected(FrameType.WINDOW_UPDATE);
      return;
    }
    if (stream === undefined) {
      if (increment === 0) return this.fail(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
      this.sendWindow += increment;
      if (this.sendWindow > MAX_WINDOW)
        return this.fail(ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31 - 1");
    } else {
      if (increment === 0) return stream.fail(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
      if (!stream.grant(increment))
        return stream.fail(ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31 - 1");
    }
    if (this.ready.length > 0) this.pump();
  }

  private onReset(id: number, buffer: Buffer, start: number, end: number): void {
    if (end - start !== 4) return this.wrongSize(FrameType.RST_STREAM);
    if (id === 0 || this.isIdle(id)) return this.unexpected(FrameType.RST_STREAM);
    const stream = this.streams.get(id);
    if (this.server && !this.guards.resets.take(Date.now())) {
      return this.fail(ErrorCode.ENHANCE_YOUR_CALM, "too many streams were reset");
    }
    if (stream === undefined) return;
    this.options.counters.resetsTotal++;
    stream.abort(buffer.readUInt32BE(start), null);
  }

  private onSettings(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) return this.unexpected(FrameType.SETTINGS);
    if ((flags & Flag.ACK) !== 0) {
      if (start !== end) this.wrongSize(FrameType.SETTINGS);
      return;
    }
    if ((end - start) % 6 !== 0) return this.wrongSize(FrameType.SETTINGS);
    this.overhead();
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
    if (this.ready.length > 0) this.pump();
    if (first) this.owner.ready();
    else if (!this.server) this.owner.capacity();
  }

  private onPing(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) return this.unexpected(FrameType.PING);
    if (end - start !== 8) return this.wrongSize(FrameType.PING);
    if ((flags & Flag.ACK) === 0) {
      this.overhead();
      if (!this.closed) this.writer.ping(true, buffer, start);
    } else if (this.draining && PING_PAYLOAD.equals(buffer.subarray(start, end))) {
      this.refuseNewStreams();
    }
  }

  private onGoAway(id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) return this.unexpected(FrameType.GOAWAY);
    if (end - start < 8) return this.wrongSize(FrameType.GOAWAY);
    const last = buffer.readUInt32BE(start) & 0x7fff_ffff;
    const code = buffer.readUInt32BE(start + 4);
    const debug = buffer.toString("latin1", start + 8, Math.min(end, start + 264)).replace(/[^ -~]/g, "?");
    this.overhead();
    // A client's GOAWAY concerns pushes only: its own streams go on.
    if (this.server) return;
    const why = `GOAWAY ${errorName(code)}${debug === "" ? "" : ` (${debug})`}`;
    const announced = this.draining;
    this.draining = true;
    for (const stream of this.streams.all()) {
      if (stream.id > last) stream.abort(ErrorCode.REFUSED_STREAM, why);
    }
    if (!announced) this.owner.goingAway(why);
    this.closeIfIdle();
  }

  private onPriority(id: number, buffer: Buffer, start: number, end: number): void {
    if (id === 0) return this.unexpected(FrameType.PRIORITY);
    this.overhead();
    const stream = this.streams.get(id);
    if (end - start !== 5) stream?.fail(ErrorCode.FRAME_SIZE_ERROR, "PRIORITY of the wrong size");
    else if ((buffer.readUInt32BE(start) & 0x7fff_ffff) === id)
      stream?.fail(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself");
  }

  private dependsOnItself(id: number): void {
    this.fail(ErrorCode.PROTOCOL_ERROR, `stream ${id} depends on itself`);
  }

  private dataOnClosed(id: number): void {
    if (id === 0 || this.isIdle(id)) return this.unexpected(FrameType.DATA);
    if (this.history.wasReset(id)) return;
    this.writer.reset(id, ErrorCode.STREAM_CLOSED);
    this.rememberReset(id);
    this.countReset();
  }

  private headersOnClosed(id: number): void {
    if (this.isIdle(id) || this.history.wasSkipped(id)) return this.unexpected(FrameType.HEADERS);
    if (!this.history.wasReset(id))
      this.fail(ErrorCode.STREAM_CLOSED, `headers on stream ${id}, which is closed`);
  }

  private addStream(id: number): Stream {
    const stream = new Stream(id, this, this.peer.initialWindowSize);
    this.streams.add(stream);
    this.options.counters.streams++;
    this.options.counters.streamsTotal++;
    return stream;
  }

  /** True for streams nobody has opened, including those that the peer could never open. */
  private isIdle(id: number): boolean {
    if ((id & 1) === 0) return true;
    return this.server ? id > this.lastPeerStream : id >= this.nextStream;
  }

  private overhead(): void {
    if (!this.guards.overhead.take(Date.now())) {
      this.fail(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that carry nothing");
    }
  }

  private wrongSize(type: number): void {
    this.fail(ErrorCode.FRAME_SIZE_ERROR, `a frame of type ${type} with a wrong size`);
  }

  private unexpected(type: number): void {
    this.fail(ErrorCode.PROTOCOL_ERROR, `a frame of type ${type} where none may be`);
  }

  /** Sends what streams have queued, in turns. */
  private pump(): void {
    let stuck = 0;
    while (stuck < this.ready.length && !this.output.congested) {
      const stream = this.ready.shift()!;
      stuck = stream.sendQueued(QUANTUM) ? 0 : stuck + 1;
      if (stream.sendable && !stream.gone) this.ready.push(stream);
      else stream.scheduled = false;
    }
  }

  private drained(): void {
    if (this.closed) return;
    if (this.readingStopped) {
      this.readingStopped = false;
      this.reader?.resume();
    }
    if (this.ready.length === 0) return;
    this.pump();
    scheduleFlush();
  }

  private refuseNewStreams(): void {
    if (this.closed || this.acceptUpTo !== MAX_WINDOW) return;
    this.acceptUpTo = this.lastPeerStream;
    this.writer.goAway(this.lastPeerStream, ErrorCode.NO_ERROR, "shutting down");
    scheduleFlush();
    this.closeIfIdle();
  }

  private closeIfIdle(): void {
    if (this.closed || this.streams.size > 0) return;
    if (this.server && this.acceptUpTo === MAX_WINDOW) return;
    this.finish(ErrorCode.NO_ERROR, "finished");
    this.output.flush();
    this.socket.end();
    setTimeout(() => this.socket.destroy(), LAST_WORDS).unref();
  }

  private finish(code: number, why: string): void {
    if (this.closed) return;
    this.closed = true;
    this.options.counters.connections--;
    this.parser.stop();
    for (const stream of this.streams.all()) stream.abort(code, why);
    this.ready = [];
    this.receiveWindow.close();
    this.owner.closed(why);
  }
}
