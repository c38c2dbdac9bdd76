import { copyWithHeadroom, HEADROOM } from "../../http2/headroom.ts";
import type { Field } from "../../http2/hpack/field.ts";
import type { Stream } from "../../http2/stream.ts";
import type { Outflow } from "./relay-filter.ts";

type Queued = { readonly received: Buffer } | { readonly inserted: Buffer } | Later | Ending;
type Later = { readonly later: Promise<readonly Buffer[]> };
type Ending = { readonly trailers: readonly Field[] | null };

const NOTHING = Buffer.alloc(0);

/**
 * Sends a filtered request to the upstream. While something that comes later is waited for, everything after it is kept, and
 * the client gets no credit for it.
 */
export class RequestOutlet implements Outflow {
  private readonly from: Stream;
  private readonly to: Stream;
  private readonly failed: (error: unknown) => void;
  private readonly queue: Queued[] = [];
  private waiting = false;
  private closed = false;
  private kept = 0;
  private freshFrom = -1;

  /** `failed` is told what a promise given to `insertLater` rejects with. */
  constructor(from: Stream, to: Stream, failed: (error: unknown) => void) {
    this.from = from;
    this.to = to;
    this.failed = failed;
  }

  /** Runs `filter`, which hands on bytes received at `start` of a buffer. Returns how many of them are kept for now. */
  collect(start: number, filter: () => void): number {
    this.kept = 0;
    this.freshFrom = start;
    filter();
    this.freshFrom = -1;
    return this.kept;
  }

  pass(buffer: Buffer, start: number, end: number): void {
    if (start === end || this.closed) return;
    if (this.waiting) {
      this.queue.push({ received: copyWithHeadroom(buffer, start, end) });
      this.kept += end - start;
    } else {
      // Only the bytes before the first ones of a frame are free; others may still be on their way out.
      this.kept += end - start - this.to.forward(buffer, start, end, false, start === this.freshFrom);
    }
  }

  insert(bytes: Buffer): void {
    if (this.closed) return;
    if (this.waiting) this.queue.push({ inserted: bytes });
    else if (bytes.length > 0) this.to.send(bytes, false);
  }

  insertLater(pieces: Promise<readonly Buffer[]>): void {
    // Whoever waits for it hears of the failure; until then nobody does.
    pieces.catch(() => {});
    this.queue.push({ later: pieces });
    if (!this.waiting) void this.drain();
  }

  /** Ends the request, with trailers if there are any; they are retained. */
  end(trailers: readonly Field[] | null): void {
    if (this.waiting) this.queue.push({ trailers });
    else if (trailers === null) this.to.send(NOTHING, true);
    else this.to.sendHeaders(trailers, true);
  }

  /** The call is over: drops what is kept. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const piece of this.queue.splice(0)) {
      if ("received" in piece) this.from.consumed(piece.received.length - HEADROOM);
    }
  }

  private async drain(): Promise<void> {
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
        if ("later" in next) {
          this.waiting = true;
          const pieces = await next.later;
          this.waiting = false;
          for (const piece of pieces) this.insert(piece);
        } else if ("received" in next) {
          const { received } = next;
          this.from.consumed(this.to.forward(received, HEADROOM, received.length, false));
        } else if ("inserted" in next) {
          this.insert(next.inserted);
        } else {
          this.end(next.trailers);
        }
      }
    } catch (error) {
      this.failed(error);
    }
  }
}
