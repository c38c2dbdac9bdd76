import type { OnReadOpts, Socket } from "node:net";
import { type Block, BlockPool } from "./block.ts";
import { currentRead } from "./current-read.ts";
import { HEADROOM } from "./headroom.ts";
import { flushAll, scheduleFlush } from "./output.ts";
import { readInto } from "./private-handle.ts";
import { socketProblem } from "./socket-problem.ts";

/** Reads of this size or more move a socket from the shared buffer to blocks of its own. */
const LARGE_READ = 32 * 1024;
/** Reads below this size count as small, and so many of them in a row move it back. */
const SMALL_READ = 8 * 1024;
const SMALL_READS = 8;
/** Bytes that Node hands out in one 'data' event at most; more are likely to follow at once. */
const FULL_EVENT = 65_536;

/** What a socket fills in one read of a fast peer. */
const large = new BlockPool(256 * 1024, 16);

const shared = Buffer.allocUnsafeSlow(HEADROOM + 65_536);
const sharedTarget = shared.subarray(HEADROOM);

/** Who is fed by a reader. */
export interface ReadTarget {
  /** Takes the bytes `buffer[start,end)`, valid during the call unless `currentRead` says otherwise. */
  receive(buffer: Buffer, start: number, end: number): void;
  /** No more bytes will come. */
  ended(why: string): void;
}

/** Feeds a target with what a socket receives. */
export interface SocketReader {
  /** The socket to write to. */
  readonly socket: Socket;
  /** Starts feeding `target`. */
  start(target: ReadTarget): void;
  /** Stops reading, so that the peer has to wait. */
  pause(): void;
  /** Reads again. */
  resume(): void;
}

/**
 * Takes over an accepted socket. With `usePrivate`, and where Node's internals are as they were when this was written, it is
 * read into buffers of ours; else through 'data' events.
 */
export function readAccepted(socket: Socket, usePrivate: boolean): SocketReader {
  const reader = new BufferReader();
  reader.socket = socket;
  return usePrivate && readInto(socket, reader.options) ? reader : new EventReader(socket);
}

/** Reads a socket through `onread`, which is documented for sockets that connect: pass `options` to `net.connect`, then set `socket`. */
export class BufferReader implements SocketReader {
  /** The `onread` option. */
  readonly options: OnReadOpts = {
    buffer: () => this.nextBuffer(),
    callback: (bytes: number) => this.onRead(bytes),
  };
  socket!: Socket;
  private target: ReadTarget | null = null;
  private early: Buffer[] = [];
  private block: Block | null = null;
  private smallReads = 0;
  private paused = false;
  private yielding = false;

  start(target: ReadTarget): void {
    this.target = target;
    watchEnd(this.socket, target);
    this.socket.once("close", () => this.dropBlock());
    for (const bytes of this.early) deliver(target, bytes, 0, bytes.length, null, false);
    this.early = [];
    scheduleFlush();
  }

  pause(): void {
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.paused = false;
    if (!this.yielding) this.socket.resume();
  }

  private nextBuffer(): Uint8Array {
    if (this.block === null) return sharedTarget;
    if (this.block.shared) {
      this.block.unpin();
      this.block = large.take();
    }
    return this.block.body;
  }

  private onRead(bytes: number): boolean {
    const { block, target } = this;
    if (target === null) {
      this.early.push(Buffer.from(sharedTarget.subarray(0, bytes)));
      return true;
    }
    const full = bytes === (block === null ? sharedTarget : block.body).length;
    const buffer = block === null ? shared : block.buffer;
    deliver(target, buffer, HEADROOM, HEADROOM + bytes, block, block === null);
    // What TLS has read at once comes record by record.
    if ("encrypted" in this.socket) scheduleFlush();
    else flushAll();
    this.adapt(bytes);
    if (!full) return !this.paused;
    // A peer that fills every read would keep the others waiting: let them have their turn.
    this.yielding = true;
    setImmediate(() => {
      this.yielding = false;
      if (!this.paused) this.socket.resume();
    });
    return false;
  }

  private adapt(bytes: number): void {
    if (this.block === null) {
      if (bytes >= LARGE_READ && !this.socket.destroyed) this.block = large.take();
      this.smallReads = 0;
    } else if (bytes >= SMALL_READ) {
      this.smallReads = 0;
    } else if (++this.smallReads >= SMALL_READS) {
      this.dropBlock();
    }
  }

  private dropBlock(): void {
    this.block?.unpin();
    this.block = null;
  }
}

/** Reads a socket through 'data' events: the only documented way for accepted sockets and for TLS. */
class EventReader implements SocketReader {
  readonly socket: Socket;
  private paused = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  start(target: ReadTarget): void {
    const { socket } = this;
    watchEnd(socket, target);
    const encrypted = "encrypted" in socket;
    socket.on("data", (data: Buffer) => {
      const full = data.length === FULL_EVENT;
      const own = full && data.buffer.byteLength === FULL_EVENT;
      deliver(target, data, 0, data.length, null, own);
      // Left to the collector, memory of this size makes it run for every few dozen events.
      if (own) (data.buffer as ArrayBuffer).transfer(0);
      // One read of the socket may come as several events, one right after the other.
      if (encrypted || full) scheduleFlush();
      else flushAll();
    });
    if (!this.paused) socket.resume();
  }

  pause(): void {
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.paused = false;
    this.socket.resume();
  }
}

function deliver(
  target: ReadTarget,
  buffer: Buffer,
  start: number,
  end: number,
  block: Block | null,
  volatile: boolean,
): void {
  currentRead.buffer = buffer;
  currentRead.block = block;
  currentRead.volatile = volatile;
  currentRead.time = performance.now();
  target.receive(buffer, start, end);
  currentRead.buffer = null;
  currentRead.block = null;
}

function watchEnd(socket: Socket, target: ReadTarget): void {
  let why = "the peer closed the connection";
  socket.on("error", (error) => {
    why = socketProblem(error);
  });
  socket.once("end", () => {
    target.ended(why);
    flushAll();
  });
  socket.once("close", () => {
    target.ended(why);
    flushAll();
  });
}
