import type { Stream } from "./stream.ts";

/** Bytes one stream sends before the next one gets its turn. */
const QUANTUM = 65_536;

/** Lets the streams of a connection that have something queued send in turns. */
export class SendScheduler {
  private ready: Stream[] = [];
  private readonly congested: () => boolean;

  /** `congested` tells whether streams should hold their data back. */
  constructor(congested: () => boolean) {
    this.congested = congested;
  }

  /** A stream has something queued that may leave when there is room. */
  add(stream: Stream): void {
    if (stream.scheduled) return;
    stream.scheduled = true;
    this.ready.push(stream);
  }

  /** Sends what flow control and the socket let through. Returns false if nobody had anything to send. */
  run(): boolean {
    if (this.ready.length === 0) return false;
    let stuck = 0;
    while (stuck < this.ready.length && !this.congested()) {
      const stream = this.ready.shift()!;
      stuck = stream.sendQueued(QUANTUM) ? 0 : stuck + 1;
      if (stream.sendable && !stream.gone) this.ready.push(stream);
      else stream.scheduled = false;
    }
    return true;
  }

  /** Forgets everybody. */
  clear(): void {
    this.ready = [];
  }
}
