import { once } from "node:events";
import type { Socket } from "node:net";
import * as h2 from "./frames.ts";
import { encodeHeaders, type Header, HpackDecoder } from "./hpack.ts";
import { SendWindow } from "./send-window.ts";
import { StreamRecord } from "./stream-record.ts";

/** What a peer does by itself; everything is on unless told otherwise. */
export interface PeerOptions {
  /** Acknowledge SETTINGS. */
  settingsAck?: boolean;
  /** Answer PING. */
  pingAck?: boolean;
  /** Return flow-control credit for DATA at once. */
  credit?: boolean;
  /** Keep frames in `log` and bodies in the stream records; off for bulk. */
  keep?: boolean;
}

/** How a connection was closed by the other side. */
export interface Goodbye {
  code: string;
  lastStream: number;
  debug: string;
}

const PATIENCE_MS = 5_000;

/**
 * One end of an HTTP/2 connection that sends whatever bytes it is told to and remembers everything it hears. It keeps no rule of the
 * protocol by itself except those of `PeerOptions`.
 */
export class RawPeer {
  readonly socket: Socket;
  /** Every frame received, oldest first. */
  readonly log: h2.Frame[] = [];
  readonly options: Required<PeerOptions>;
  /** What the other side lets this one send. */
  readonly window = new SendWindow();
  /** Called with every frame after the peer itself has dealt with it. */
  onFrame: (frame: h2.Frame) => void = () => {};
  /** True once the socket is closed. */
  isClosed = false;
  private readonly streams = new Map<number, StreamRecord>();
  private readonly decoder = new HpackDecoder();
  private readonly reader = new h2.FrameReader();
  private block: { frame: h2.Frame; parts: Buffer[] } | null = null;
  private waiters: { match: (frame: h2.Frame) => boolean; resolve: (frame: h2.Frame) => void }[] = [];
  private skip: Buffer;
  private pings = 0;

  /** `preface` is what the other side must send first; a server peer expects the client's. */
  constructor(socket: Socket, options: PeerOptions = {}, preface: Buffer = Buffer.alloc(0)) {
    this.socket = socket;
    this.options = { settingsAck: true, pingAck: true, credit: true, keep: true, ...options };
    this.skip = preface;
    socket.on("data", (bytes) => this.receive(bytes as Buffer));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.window.wake();
      const reason = `the connection closed; ${this.story()}`;
      for (const record of this.streams.values()) record.abandon(reason);
    });
  }

  /** Writes bytes as they are. */
  send(...bytes: Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(bytes));
  }

  /** HEADERS, from a literal-only encoder, and CONTINUATION where the block exceeds `frameSize`. */
  sendHeaders(
    stream: number,
    headers: Iterable<readonly [string, string]>,
    flags = 0,
    frameSize = 16_384,
  ): void {
    const block = encodeHeaders(headers);
    const frames: Buffer[] = [];
    for (let at = 0; at === 0 || at < block.length; at += frameSize) {
      const type = at === 0 ? h2.Type.HEADERS : h2.Type.CONTINUATION;
      const last = at + frameSize >= block.length ? h2.Bit.END_HEADERS : 0;
      frames.push(h2.frame(type, last | (at === 0 ? flags : 0), stream, block.subarray(at, at + frameSize)));
    }
    this.send(...frames);
  }

  /** DATA within the windows the other side grants; resolves when all of it is written or the connection is gone. */
  async sendBody(stream: number, body: Buffer, end = true): Promise<void> {
    let at = 0;
    while (at < body.length && !this.isClosed) {
      const bytes = this.window.reserve(stream, body.length - at);
      if (bytes === 0) {
        await this.window.changed();
        continue;
      }
      this.send(h2.data(stream, body.subarray(at, at + bytes)));
      at += bytes;
      // The callback comes when everything before it is written, or when it never will be.
      if (this.socket.writableNeedDrain) await new Promise<unknown>((done) => this.socket.write("", done));
    }
    if (end) this.send(h2.data(stream, Buffer.alloc(0), h2.Bit.END_STREAM));
  }

  /** The record of `stream`, made on first use. */
  stream(stream: number): StreamRecord {
    let record = this.streams.get(stream);
    if (record === undefined) {
      record = new StreamRecord(this.options.keep);
      this.streams.set(stream, record);
    }
    return record;
  }

  /** The record of `stream` once it has ended or was reset. */
  async outcome(stream: number, patienceMs = PATIENCE_MS): Promise<StreamRecord> {
    const record = this.stream(stream);
    await this.within(record.finished, `the end of stream ${stream}`, patienceMs);
    return record;
  }

  /** The first frame, received already or still to come, that matches. */
  waitFor(what: string, match: (frame: h2.Frame) => boolean, patienceMs = PATIENCE_MS): Promise<h2.Frame> {
    const known = this.log.find(match);
    if (known !== undefined) return Promise.resolve(known);
    const found = Promise.withResolvers<h2.Frame>();
    this.waiters.push({ match, resolve: found.resolve });
    return this.within(found.promise, what, patienceMs);
  }

  /** The name of the code that the other side resets `stream` with. */
  async resetOf(stream: number): Promise<string> {
    const is = (f: h2.Frame) => f.type === h2.Type.RST_STREAM && f.stream === stream;
    return h2.codeName((await this.waitFor(`RST_STREAM on stream ${stream}`, is)).payload.readUInt32BE());
  }

  /** The first GOAWAY of the other side that names an error, or its first GOAWAY of all with `graceful`. */
  async goaway(graceful = false): Promise<Goodbye> {
    const is = (f: h2.Frame) => f.type === h2.Type.GOAWAY && (graceful || f.payload.readUInt32BE(4) !== 0);
    const { payload } = await this.waitFor("GOAWAY", is);
    return {
      code: h2.codeName(payload.readUInt32BE(4)),
      lastStream: payload.readUInt32BE(0),
      debug: payload.subarray(8).toString(),
    };
  }

  /** Resolves when the other side has dealt with everything sent before: a PING and its answer. Rejects if the connection is gone. */
  async fence(): Promise<void> {
    const mark = Buffer.from(`#${String(++this.pings).padStart(7, "0")}`);
    this.send(h2.ping(mark));
    await this.waitFor("the answer to a PING", (f) => {
      return f.type === h2.Type.PING && (f.flags & h2.Bit.ACK) !== 0 && f.payload.equals(mark);
    });
  }

  /** Resolves when the socket is closed. */
  async closed(): Promise<void> {
    if (!this.isClosed)
      await this.within(once(this.socket, "close"), "the end of the connection", PATIENCE_MS, false);
  }

  /** Closes the socket; nothing is sent any more. */
  close(): void {
    this.socket.destroy();
  }

  /** What was received, for messages. */
  story(): string {
    return `received: ${this.log.slice(-20).map(h2.describe).join(" | ") || "nothing"}`;
  }

  private async within<T>(event: Promise<T>, what: string, patienceMs: number, orClosed = true): Promise<T> {
    const stop = new AbortController();
    const late = new Promise<never>((_, reject) => {
      const fail = (why: string) => reject(new Error(`${why} while waiting for ${what}; ${this.story()}`));
      const timer = setTimeout(fail, patienceMs, `gave up after ${patienceMs} ms`);
      const onClose = () => setImmediate(fail, "the connection closed");
      if (orClosed && this.isClosed) onClose();
      else if (orClosed) this.socket.once("close", onClose);
      stop.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        this.socket.off("close", onClose);
      });
    });
    try {
      return await Promise.race([event, late]);
    } finally {
      stop.abort();
    }
  }

  private receive(bytes: Buffer): void {
    let rest = bytes;
    if (this.skip.length > 0) {
      const n = Math.min(this.skip.length, rest.length);
      if (!rest.subarray(0, n).equals(this.skip.subarray(0, n))) return void this.socket.destroy();
      this.skip = this.skip.subarray(n);
      rest = rest.subarray(n);
    }
    for (const frame of this.reader.push(rest)) this.take(frame);
  }

  private take(frame: h2.Frame): void {
    const { type, flags, stream, payload } = frame;
    if (this.options.keep || type !== h2.Type.DATA) this.log.push(frame);
    const ack = (flags & h2.Bit.ACK) !== 0;
    if (type === h2.Type.SETTINGS && !ack && this.options.settingsAck) this.send(h2.settingsAck());
    if (type === h2.Type.PING && !ack && this.options.pingAck) this.send(h2.ping(payload, true));
    if (type === h2.Type.DATA && payload.length > 0 && this.options.credit) {
      this.send(h2.windowUpdate(0, payload.length), h2.windowUpdate(stream, payload.length));
    }
    if (type === h2.Type.SETTINGS || type === h2.Type.WINDOW_UPDATE) this.window.take(frame);
    if (type === h2.Type.HEADERS || type === h2.Type.CONTINUATION) this.gather(frame);
    else if (type === h2.Type.DATA || type === h2.Type.RST_STREAM) this.stream(stream).take(frame);
    this.notify(frame);
  }

  /** Joins HEADERS and CONTINUATION; the HEADERS frame counts as received when its block is complete. */
  private gather(frame: h2.Frame): void {
    if (frame.type === h2.Type.HEADERS) this.block = { frame, parts: [fragment(frame)] };
    else this.block!.parts.push(frame.payload);
    if ((frame.flags & h2.Bit.END_HEADERS) === 0) return;
    const { frame: start, parts } = this.block!;
    this.block = null;
    start.headers = this.decoder.decode(Buffer.concat(parts)) as Header[];
    this.stream(start.stream).take(start);
    if (start !== frame) this.notify(start);
  }

  private notify(frame: h2.Frame): void {
    const found = this.waiters.filter(({ match }) => match(frame));
    if (found.length > 0) this.waiters = this.waiters.filter((waiter) => !found.includes(waiter));
    for (const waiter of found) waiter.resolve(frame);
    this.onFrame(frame);
  }
}

function fragment({ flags, payload }: h2.Frame): Buffer {
  const padded = (flags & h2.Bit.PADDED) !== 0;
  const start = (padded ? 1 : 0) + ((flags & h2.Bit.PRIORITY) !== 0 ? 5 : 0);
  return payload.subarray(start, payload.length - (padded ? payload[0]! : 0));
}
