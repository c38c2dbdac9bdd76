import type { OnReadOpts, Socket } from "node:net";
import { currentRead } from "./current-read.ts";
import { flushAll, scheduleFlush } from "./output.ts";
import { adoptHandle } from "./private-handle.ts";
import { HEADROOM, ReadChunk } from "./read-chunk.ts";
import { socketProblem } from "./socket-problem.ts";

/** Reads of this size or more move a socket from the shared buffer to chunks of its own. */
const LARGE_READ = 32 * 1024;
/** Reads below this size count as small, and so many of them in a row move it back. */
const SMALL_READ = 8 * 1024;
const SMALL_READS = 8;
/** Bytes that Node hands out in one 'data' event at most; more are likely to follow at once. */
const FULL_EVENT = 65_536;

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
  if (usePrivate) {
    const reader = new BufferReader();
    const adopted = adoptHandle(socket, reader.options);
    if (adopted !== null) {
      reader.socket = adopted;
      return reader;
    }
  }
  return new EventReader(socket);
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
  private chunk: ReadChunk | null = null;
  private smallReads = 0;
  private paused = false;
  private yielding = false;

  start(target: ReadTarget): void {
    this.target = target;
    watchEnd(this.socket, target);
    this.socket.once("close", () => this.dropChunk());
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
    const { chunk } = this;
    if (chunk === null) return sharedTarget;
    if (chunk.shared) {
      chunk.unpin();
      this.chunk = ReadChunk.take();
    }
    return this.chunk!.target;
  }

  private onRead(bytes: number): boolean {
    const { chunk, target } = this;
    if (target === null) {
      this.early.push(Buffer.from(sharedTarget.subarray(0, bytes)));
      return true;
    }
    const full = bytes === (chunk === null ? sharedTarget : chunk.target).length;
    deliver(
      target,
      chunk === null ? shared : chunk.buffer,
      HEADROOM,
      HEADROOM + bytes,
      chunk,
      chunk === null,
    );
    flushAll();
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
    if (this.chunk === null) {
      if (bytes >= LARGE_READ && !this.socket.destroyed) this.chunk = ReadChunk.take();
      this.smallReads = 0;
    } else if (bytes >= SMALL_READ) {
      this.smallReads = 0;
    } else if (++this.smallReads >= SMALL_READS) {
      this.dropChunk();
    }
  }

  private dropChunk(): void {
    this.chunk?.unpin();
    this.chunk = null;
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
      deliver(target, data, 0, data.length, null, false);
      // One read of the socket may come as several events, one right after the other.
      if (encrypted || data.length === FULL_EVENT) scheduleFlush();
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
  chunk: ReadChunk | null,
  volatile: boolean,
): void {
  currentRead.buffer = buffer;
  currentRead.chunk = chunk;
  currentRead.volatile = volatile;
  target.receive(buffer, start, end);
  currentRead.buffer = null;
  currentRead.chunk = null;
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
