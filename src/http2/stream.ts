import type { Block } from "./block.ts";
import { Budget } from "./budget.ts";
import type { Connection } from "./connection.ts";
import { ErrorCode, MAX_FRAME_PAYLOAD, MAX_WINDOW } from "./constants.ts";
import type { Field } from "./hpack/field.ts";
import { SendQueue } from "./send-queue.ts";

/** The window a stream is born with, and the most it grows to. */
export const INITIAL_STREAM_WINDOW = 256 * 1024;
const LARGEST_STREAM_WINDOW = 4 * 1024 * 1024;

/** Which of a message's header lists a sink gets. */
export const HeadKind = {
  /** The request's or the final response's head. */
  FINAL: 0,
  /** A 1xx response; more will follow. */
  INFORMATIONAL: 1,
  /** The list that ends the message. */
  TRAILERS: 2,
} as const;

/** Who takes what arrives on a stream. */
export interface StreamSink {
  /** A header list. `fields` is valid during the call only, unless its fields are retained; `fin` ends the message. */
  headers(fields: readonly Field[], kind: number, fin: boolean): void;
  /**
   * Bytes of the body, `buffer[start,end)`, valid during the call only. Returns how many of them need no more room: the rest counts as
   * held until `Stream.consumed`.
   */
  data(buffer: Buffer, start: number, end: number, fin: boolean): number;
  /** The stream ended before its message did, by the peer or because of it. `why` is null where the peer said no more than `code`. */
  reset(code: number, why: string | null): void;
  /** Everything queued on the stream has left. */
  drained(): void;
}

const NO_QUEUE = new SendQueue(new Budget(0));
const nobody: StreamSink = { headers() {}, data: (_, start, end) => end - start, reset() {}, drained() {} };

/** One stream of one connection (RFC 9113 section 5), seen from either end. */
export class Stream {
  readonly id: number;
  readonly connection: Connection;
  /** Who takes what arrives. */
  sink: StreamSink = nobody;
  /** The stream whose bytes are forwarded on this one: it gets credit back as they leave. */
  source: Stream | null = null;
  /** True once the peer ended its direction. */
  remoteDone = false;
  /** True once our END_STREAM has been written. */
  localDone = false;
  /** True when the stream no longer exists for the protocol. */
  gone = false;
  /** True once the peer's final (not 1xx) head has come. */
  headReceived = false;
  /** True while the connection's scheduler has the stream on its list. */
  scheduled = false;
  private sendWindow: number;
  private receiveWindow = INITIAL_STREAM_WINDOW;
  private receiveTarget = INITIAL_STREAM_WINDOW;
  private held = 0;
  private expected = -1;
  /** Most streams never queue anything, and share an empty one. */
  private queue: SendQueue = NO_QUEUE;
  private resetWhenSent = -1;

  constructor(id: number, connection: Connection, sendWindow: number) {
    this.id = id;
    this.connection = connection;
    this.sendWindow = sendWindow;
  }

  /** Bytes accepted for sending that have not left. */
  get pendingBytes(): number {
    return this.queue.bytes;
  }

  /** Sends a header list after everything queued. With `fin` it ends our direction: what is sent after that is dropped. */
  sendHeaders(fields: readonly Field[], fin: boolean): void {
    if (this.gone || this.localDone) return;
    if (!this.queue.empty) {
      if (this.queue.ended) return;
      for (const field of fields) field.retain();
      this.ownQueue().addHeaders(fields.slice(), fin);
      return;
    }
    this.connection.writer.headers(this.id, fields, fin);
    if (fin) this.endLocal();
  }

  /**
   * Passes on `buffer[start,end)` as it was just received, at most one frame; with `headroom` the nine bytes before `start` are
   * overwritten. What flow control does not let through is copied and queued. Returns the bytes that left at once.
   */
  forward(buffer: Buffer, start: number, end: number, fin: boolean, headroom = true): number {
    const bytes = end - start;
    if (this.gone || this.localDone) return bytes;
    const { connection } = this;
    if (!this.queue.empty || connection.congested) {
      if (this.queue.ended) return bytes;
      this.ownQueue().addCopy(buffer, start, end, fin);
      if (this.sendable) connection.schedule(this);
      return 0;
    }
    const room = Math.min(this.sendWindow, connection.sendWindow);
    if (bytes <= room) {
      this.writeData(buffer, start, end, fin, headroom, null);
      return bytes;
    }
    if (room > 0) this.writeData(buffer, start, start + room, false, headroom, null);
    this.ownQueue().addCopy(buffer, start + Math.max(0, room), end, fin);
    if (this.sendable) connection.schedule(this);
    return Math.max(0, room);
  }

  /** Sends `bytes`, which the caller leaves alone from now on, as far as flow control allows, and queues the rest. */
  send(bytes: Buffer, fin: boolean): void {
    if (this.gone || this.localDone || this.queue.ended) return;
    const idle = this.queue.empty;
    this.ownQueue().addOwn(bytes, fin);
    if (idle) this.sendQueued(Number.POSITIVE_INFINITY);
    if (this.sendable) this.connection.schedule(this);
  }

  /** Ends the stream at once with RST_STREAM; queued bytes are dropped. */
  reset(code: number): void {
    if (this.gone) return;
    this.connection.reset(this.id, code);
    this.close();
  }

  /** Ends the stream with RST_STREAM after everything queued has left. */
  resetAfterSending(code: number): void {
    if (this.queue.empty) this.reset(code);
    else this.resetWhenSent = code;
  }

  /** `bytes` of what the sink held have been handed on or dropped: the peer gets credit for them. */
  consumed(bytes: number): void {
    this.held -= bytes;
    this.connection.receiveWindow.released(bytes);
    if (!this.remoteDone && !this.gone) this.replenish();
  }

  // ---- for the connection ----

  /** A head announced a body of `length` bytes. */
  expectBody(length: number): void {
    this.expected = length;
  }

  /** Takes a part of a DATA frame; `padding` bytes count for flow control only. Returns how many bytes are held. */
  receive(buffer: Buffer, start: number, end: number, fin: boolean, padding: number): number {
    const bytes = end - start;
    this.receiveWindow -= bytes + padding;
    if (this.receiveWindow < 0) {
      this.fail(ErrorCode.FLOW_CONTROL_ERROR, "more data than the stream's window allows");
      return 0;
    }
    if (this.expected >= 0) {
      this.expected -= bytes;
      if (this.expected < 0 || (fin && this.expected > 0)) {
        this.fail(ErrorCode.PROTOCOL_ERROR, "a body whose length is not its content-length");
        return 0;
      }
    }
    if (fin) this.remoteDone = true;
    else if (bytes === 0) {
      if (padding > 0) this.replenish();
      return 0;
    }
    const held = bytes - this.sink.data(buffer, start, end, fin);
    this.held += held;
    if (fin) this.closeIfDone();
    else if (!this.gone) this.replenish();
    return held;
  }

  /** The peer ended its direction with a header list. False if the body was shorter than announced. */
  endRemote(): boolean {
    if (this.expected > 0) return false;
    this.remoteDone = true;
    return true;
  }

  /** Forgets the stream once both directions ended. */
  closeIfDone(): void {
    if (this.remoteDone && this.localDone && !this.gone) this.close();
  }

  /** The peer broke a rule on this stream: RST_STREAM to it, `why` to the sink. */
  fail(code: number, why: string): void {
    if (this.gone) return;
    const { sink } = this;
    this.reset(code);
    this.connection.countReset();
    sink.reset(code, why);
  }

  /** The stream is over without a frame from us: the peer reset it, or the connection is gone. */
  abort(code: number, why: string | null): void {
    if (this.gone) return;
    const { sink } = this;
    this.close();
    sink.reset(code, why);
  }

  /** Changes the send window by `increment`; false if it exceeds 2^31 - 1. */
  grant(increment: number): boolean {
    this.sendWindow += increment;
    if (this.sendWindow > MAX_WINDOW) return false;
    if (this.sendWindow > 0 && !this.queue.empty) this.connection.schedule(this);
    return true;
  }

  /** True if something queued could leave, as far as this stream's window is concerned. */
  get sendable(): boolean {
    const { first } = this.queue;
    return first !== undefined && (first.start === first.end || this.sendWindow > 0);
  }

  /** True if what is next in the queue needs windows. */
  get nextIsData(): boolean {
    const { first } = this.queue;
    return first !== undefined && first.start < first.end;
  }

  /** Sends queued bytes up to `quantum`, as far as windows allow. */
  sendQueued(quantum: number): void {
    const { queue, connection } = this;
    let left = quantum;
    let progress = false;
    for (let item = queue.first; item !== undefined && left > 0; item = queue.first) {
      if (connection.congested) break;
      if (item.fields !== null) {
        queue.shift();
        connection.writer.headers(this.id, item.fields, item.fin);
        if (item.fin) this.endLocal();
        progress = true;
        continue;
      }
      const rest = item.end - item.start;
      const room = Math.min(rest, left, MAX_FRAME_PAYLOAD, this.sendWindow, connection.sendWindow);
      if (room <= 0 && rest > 0) break;
      const { data, start, block, headroom, forwarded } = item;
      progress = true;
      left -= room;
      queue.sent(item, room);
      this.writeData(data, start, start + room, item.fin && room === rest, headroom, block);
      if (room === rest) block?.unpin();
      if (forwarded) this.source?.consumed(room);
    }
    if (queue.empty && progress) this.emptied();
  }

  private emptied(): void {
    const { sink } = this;
    if (this.resetWhenSent >= 0) this.reset(this.resetWhenSent);
    sink.drained();
  }

  private writeData(
    buffer: Buffer,
    start: number,
    end: number,
    fin: boolean,
    headroom: boolean,
    block: Block | null,
  ): void {
    const bytes = end - start;
    this.sendWindow -= bytes;
    this.connection.sendWindow -= bytes;
    this.connection.writer.data(this.id, buffer, start, end, fin, headroom, block);
    if (fin) this.endLocal();
  }

  private ownQueue(): SendQueue {
    if (this.queue === NO_QUEUE) this.queue = new SendQueue(this.connection.budget);
    return this.queue;
  }

  private endLocal(): void {
    this.localDone = true;
    this.closeIfDone();
  }

  private replenish(): void {
    const promised = this.receiveWindow + this.held;
    if (promised * 2 > this.receiveTarget) return;
    if (this.held === 0 && this.receiveTarget < LARGEST_STREAM_WINDOW) this.receiveTarget *= 2;
    const increment = this.receiveTarget - promised;
    this.receiveWindow += increment;
    this.connection.writer.windowUpdate(this.id, increment);
  }

  private close(): void {
    this.gone = true;
    const dropped = this.queue.clear();
    this.connection.forget(this);
    if (dropped > 0) this.source?.consumed(dropped);
    // Ended streams must not keep their calls alive.
    this.source = null;
    this.sink = nobody;
  }
}
