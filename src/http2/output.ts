import type { Duplex } from "node:stream";
import type { ConnectionCounters } from "./counters.ts";
import { currentRead } from "./current-read.ts";
import type { ReadChunk } from "./read-chunk.ts";

const SLAB = 65_536;
/** Payloads below this are copied into the slab: cheaper than a write vector entry of their own. */
const COPY_BELOW = 2_048;
/** Bytes waiting in the socket above which the connection counts as congested. */
const CONGESTED_ABOVE = 512 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);
/** Slabs between two uses: an idle connection holds none. */
const freeSlabs: Buffer[] = [];

const dirty: Output[] = [];
let flushScheduled = false;

/** Writes out everything that was appended to any connection since the last flush. Called once at the end of each read event. */
export function flushAll(): void {
  flushScheduled = false;
  // Flushing may run callbacks that append to further connections, hence no fixed length.
  for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
  dirty.length = 0;
}

/** Asks for a flush at the end of this turn of the event loop. */
export function scheduleFlush(): void {
  if (flushScheduled) return;
  flushScheduled = true;
  setImmediate(flushAll);
}

/**
 * Gathers the frames of one connection and writes them in as few system calls as possible. Small pieces are copied into a slab;
 * large payloads go out as slices of the buffer they were read into, adjacent ones as one slice.
 */
export class Output {
  private readonly socket: Duplex;
  private readonly onDrain: () => void;
  private readonly counters: ConnectionCounters;
  private slab: Buffer = NOTHING;
  private slabStart = 0;
  private slabEnd = 0;
  private pieces: Buffer[] = [];
  private pins: ReadChunk[] = [];
  private rangeBuffer: Buffer | null = null;
  private rangeStart = 0;
  private rangeEnd = 0;
  private isDirty = false;
  private waiting = false;
  private gathered = 0;
  private backlog = 0;

  /** `onDrain` is called when a congested socket has taken everything. */
  constructor(socket: Duplex, counters: ConnectionCounters, onDrain: () => void) {
    this.socket = socket;
    this.counters = counters;
    this.onDrain = onDrain;
  }

  /** True while so much waits in the socket that senders should hold back. */
  get congested(): boolean {
    return this.gathered + this.backlog > CONGESTED_ABOVE;
  }

  /** Bytes gathered or waiting in the socket. */
  get waitingBytes(): number {
    return this.gathered + this.backlog;
  }

  /** Reserves `bytes` (at most 64 KiB) in the slab and returns where they start in `buffer`; the caller fills all of them at once. */
  reserve(bytes: number): number {
    if (this.rangeBuffer !== null) this.closeRange();
    if (this.slabEnd + bytes > this.slab.length) this.newSlab();
    const at = this.slabEnd;
    this.slabEnd += bytes;
    this.gathered += bytes;
    if (!this.isDirty) this.markDirty();
    return at;
  }

  /** The slab that `reserve` handed out room in. */
  get buffer(): Buffer {
    return this.slab;
  }

  /** Gives back the last `bytes` of the latest `reserve`. */
  unreserve(bytes: number): void {
    this.slabEnd -= bytes;
    this.gathered -= bytes;
  }

  /**
   * Appends `buffer[start,end)`. With `volatile` the memory is reused as soon as the read event ends, so it is copied; else it is
   * referred to, and `chunk`, if there is one, stays pinned until it is written.
   */
  append(buffer: Buffer, start: number, end: number, chunk: ReadChunk | null, volatile: boolean): void {
    const bytes = end - start;
    if (volatile || bytes < COPY_BELOW) {
      this.copy(buffer, start, end);
      return;
    }
    if (this.rangeBuffer === buffer && this.rangeEnd === start) {
      this.rangeEnd = end;
    } else {
      if (this.rangeBuffer !== null) this.closeRange();
      else this.closeSlab();
      this.rangeBuffer = buffer;
      this.rangeStart = start;
      this.rangeEnd = end;
      if (chunk !== null) this.pins.push(chunk);
    }
    this.gathered += bytes;
    if (!this.isDirty) this.markDirty();
  }

  /** Hands everything gathered to the socket. */
  flush(): void {
    this.isDirty = false;
    if (this.rangeBuffer !== null) this.closeRange();
    else this.closeSlab();
    const { socket, pieces } = this;
    const wasCongested = this.congested;
    this.counters.out += this.gathered;
    this.gathered = 0;
    if (pieces.length === 0) return;
    if (socket.destroyed || socket.writableEnded) {
      this.discard();
      return;
    }
    if (pieces.length === 1) {
      socket.write(pieces[0]!);
    } else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
    this.backlog = socket.writableLength;
    if (this.backlog === 0) {
      // The kernel took it all: nothing refers to the memory any more.
      pieces.length = 0;
      this.pins.length = 0;
      this.dropSlab(true);
      if (wasCongested) this.onDrain();
      return;
    }
    this.awaitDrain();
  }

  private awaitDrain(): void {
    const pins = this.pins;
    for (const chunk of pins) chunk.pin();
    this.pins = [];
    this.pieces = [];
    this.dropSlab(false);
    if (this.waiting && pins.length === 0) return;
    this.waiting = true;
    // An empty write is the documented way to hear that everything before it is done.
    this.socket.write(NOTHING, () => {
      for (const chunk of pins) chunk.unpin();
      this.backlog = this.socket.writableLength;
      if (this.backlog > 0) return;
      this.waiting = false;
      this.onDrain();
    });
  }

  private copy(buffer: Buffer, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.rangeBuffer !== null) this.closeRange();
      if (this.slabEnd === this.slab.length) this.newSlab();
      const to = Math.min(end, from + this.slab.length - this.slabEnd);
      buffer.copy(this.slab, this.slabEnd, from, to);
      this.slabEnd += to - from;
      from = to;
    }
    this.gathered += end - start;
    if (!this.isDirty) this.markDirty();
  }

  private markDirty(): void {
    this.isDirty = true;
    dirty.push(this);
    // Read events flush when they end; anything else has to ask for it.
    if (currentRead.buffer === null) scheduleFlush();
  }

  private discard(): void {
    this.pieces = [];
    this.pins = [];
    this.dropSlab(true);
  }

  private dropSlab(reusable: boolean): void {
    if (reusable && this.slab !== NOTHING && freeSlabs.length < 64) freeSlabs.push(this.slab);
    this.slab = NOTHING;
    this.slabStart = this.slabEnd = 0;
  }

  private newSlab(): void {
    this.closeSlab();
    this.slab = freeSlabs.pop() ?? Buffer.allocUnsafeSlow(SLAB);
    this.slabStart = this.slabEnd = 0;
  }

  private closeSlab(): void {
    if (this.slabEnd === this.slabStart) return;
    this.pieces.push(this.slab.subarray(this.slabStart, this.slabEnd));
    this.slabStart = this.slabEnd;
  }

  private closeRange(): void {
    this.pieces.push(this.rangeBuffer!.subarray(this.rangeStart, this.rangeEnd));
    this.rangeBuffer = null;
  }
}
