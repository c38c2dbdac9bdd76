import type { Stream } from "./stream.ts";

/** Bytes one stream sends before the next one gets its turn. */
const QUANTUM = 65_536;

/** What a connection tells its scheduler. */
export interface SendRoom {
  /** True while so much waits in the socket that streams should hold their data back. */
  readonly congested: boolean;
  /** Bytes of data the peer allows us to send on the connection. */
  readonly sendWindow: number;
}

/** Lets the streams of a connection that have something queued send in turns. */
export class SendScheduler {
  private readonly room: SendRoom;
  /** Streams whose next item is no data: no window holds them back. */
  private free: Stream[] = [];
  /** Streams whose next item is data. While the connection's window is shut nobody looks at them, however many there are. */
  private hungry: Stream[] = [];

  constructor(room: SendRoom) {
    this.room = room;
  }

  /** A stream has something queued that may leave when there is room. */
  add(stream: Stream): void {
    if (stream.scheduled) return;
    stream.scheduled = true;
    if (stream.nextIsData) this.hungry.push(stream);
    else this.free.push(stream);
  }

  /** Sends what flow control and the socket let through. Returns false if nobody had anything to send. */
  run(): boolean {
    if (this.free.length === 0 && this.hungry.length === 0) return false;
    for (let stream = this.next(); stream !== undefined; stream = this.next()) {
      stream.scheduled = false;
      stream.sendQueued(QUANTUM);
      if (stream.sendable && !stream.gone) this.add(stream);
    }
    return true;
  }

  /** Forgets everybody. */
  clear(): void {
    this.free = [];
    this.hungry = [];
  }

  private next(): Stream | undefined {
    const { room } = this;
    if (room.congested) return undefined;
    return this.free.shift() ?? (room.sendWindow > 0 ? this.hungry.shift() : undefined);
  }
}
