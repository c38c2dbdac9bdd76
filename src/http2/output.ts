import type { Socket } from "node:net";
import { type Block, BlockPool } from "./block.ts";
import type { ConnectionCounters } from "./counters.ts";
import { currentRead } from "./current-read.ts";

/** Payloads below this are copied next to what is before them: cheaper than a write vector entry of their own. */
const COPY_BELOW = 2_048;
/** The same for TLS, which copies the entries of a vector together into memory of its own. */
const COPY_BELOW_TLS = 32_768;
/** Bytes waiting in the socket above which the connection counts as congested. */
const CONGESTED_ABOVE = 512 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);
const slabs = new BlockPool(65_536, 64);

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
 * Gathers the frames of one connection and writes them in as few system calls as possible. Small pieces are copied into slabs;
 * large payloads go out as slices of the buffer they were read into, adjacent ones as one slice.
 */
export class Output {
  private readonly socket: Socket;
  private readonly encrypted: boolean;
  private readonly copyBelow: number;
  private readonly onDrain: () => void;
  private readonly counters: ConnectionCounters;
  private slab: Block | null = null;
  private slabStart = 0;
  private slabEnd = 0;
  private pieces: Buffer[] = [];
  /** What `pieces` lie in. */
  private pins: Block[] = [];
  private rangeBuffer: Buffer | null = null;
  private rangeStart = 0;
  private rangeEnd = 0;
  private isDirty = false;
  /** Batches whose end was asked for. */
  private inFlight = 0;
  private gathered = 0;
  private backlog = 0;

  /** `onDrain` is called when a congested socket has taken everything. */
  constructor(socket: Socket, counters: ConnectionCounters, onDrain: () => void) {
    this.socket = socket;
    this.encrypted = "encrypted" in socket;
    this.copyBelow = this.encrypted ? COPY_BELOW_TLS : COPY_BELOW;
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
    if (this.slab === null || this.slabEnd + bytes > this.slab.buffer.length) this.newSlab();
    const at = this.slabEnd;
    this.slabEnd += bytes;
    this.gathered += bytes;
    if (!this.isDirty) this.markDirty();
    return at;
  }

  /** The slab that `reserve` handed out room in. */
  get buffer(): Buffer {
    return this.slab!.buffer;
  }

  /** Gives back the last `bytes` of the latest `reserve`. */
  unreserve(bytes: number): void {
    this.slabEnd -= bytes;
    this.gathered -= bytes;
  }

  /**
   * Appends `buffer[start,end)`. With `volatile` the memory is reused as soon as the read event ends, so it is copied; else it is
   * referred to, and `block`, if there is one, stays pinned until it is written.
   */
  append(buffer: Buffer, start: number, end: number, block: Block | null, volatile: boolean): void {
    const bytes = end - start;
    if (volatile || bytes < this.copyBelow) {
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
      if (block !== null) this.pinOnce(block);
    }
    this.gathered += bytes;
    if (!this.isDirty) this.markDirty();
  }

  /** Hands what is gathered to the socket. TLS takes one batch at a time: it would copy what waits behind. */
  flush(): void {
    this.isDirty = false;
    if (this.encrypted && this.inFlight > 0) return;
    this.write();
  }

  /** Hands everything to the socket and closes it once it is sent. */
  end(): void {
    this.write();
    this.socket.end();
  }

  private write(): void {
    this.closePieces();
    const { socket, pieces } = this;
    const wasCongested = this.congested;
    this.counters.out += this.gathered;
    this.gathered = 0;
    if (pieces.length === 0) return;
    if (socket.destroyed || socket.writableEnded) return this.release(this.takePins());
    const inFlight = this.encrypted ? this.batch() : null;
    if (pieces.length === 1) {
      if (inFlight === null) socket.write(pieces[0]!);
      else socket.write(pieces[0]!, inFlight);
    } else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      if (inFlight !== null) socket.write(NOTHING, inFlight);
      socket.uncork();
    }
    this.backlog = socket.writableLength;
    if (inFlight !== null) {
      this.pieces = [];
    } else if (this.backlog > 0) {
      this.pieces = [];
      // An empty write is the documented way to hear that everything before it is done.
      socket.write(NOTHING, this.batch());
    } else {
      // The kernel took it all: nothing refers to the memory any more.
      pieces.length = 0;
      this.releaseWritten();
      if (wasCongested) this.onDrain();
    }
  }

  /** What to call when all that was gathered up to now is written. */
  private batch(): () => void {
    const pins = this.takePins();
    this.inFlight++;
    return () => {
      this.inFlight--;
      this.release(pins);
      this.backlog = this.socket.writableLength;
      if (this.encrypted) this.flush();
      if (this.inFlight === 0 && this.backlog === 0) this.onDrain();
    };
  }

  /** The blocks that the pieces lie in, the slab included; the caller releases them. */
  private takePins(): Block[] {
    const { pins, slab } = this;
    if (slab !== null) pins.push(slab);
    this.slab = null;
    this.slabStart = this.slabEnd = 0;
    this.pins = [];
    return pins;
  }

  private release(pins: readonly Block[]): void {
    for (const block of pins) block.unpin();
  }

  private releaseWritten(): void {
    const { pins, slab } = this;
    for (let i = 0; i < pins.length; i++) pins[i]!.unpin();
    pins.length = 0;
    // Idle connections hold no slab.
    if (slab !== null) slab.unpin();
    this.slab = null;
    this.slabStart = this.slabEnd = 0;
  }

  private pinOnce(block: Block): void {
    const { pins } = this;
    if (pins.length > 0 && pins[pins.length - 1] === block) return;
    block.pin();
    pins.push(block);
  }

  private copy(buffer: Buffer, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.rangeBuffer !== null) this.closeRange();
      if (this.slab === null || this.slabEnd === this.slab.buffer.length) this.newSlab();
      const slab = this.slab!.buffer;
      const to = Math.min(end, from + slab.length - this.slabEnd);
      buffer.copy(slab, this.slabEnd, from, to);
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

  private newSlab(): void {
    this.closeSlab();
    if (this.slab !== null) this.pins.push(this.slab);
    this.slab = slabs.take();
    this.slabStart = this.slabEnd = 0;
  }

  private closePieces(): void {
    if (this.rangeBuffer !== null) this.closeRange();
    else this.closeSlab();
  }

  private closeSlab(): void {
    if (this.slabEnd === this.slabStart) return;
    this.pieces.push(this.slab!.buffer.subarray(this.slabStart, this.slabEnd));
    this.slabStart = this.slabEnd;
  }

  private closeRange(): void {
    this.pieces.push(this.rangeBuffer!.subarray(this.rangeStart, this.rangeEnd));
    this.rangeBuffer = null;
  }
}
