import type { Field } from "../../http2/hpack/field.ts";
import type { Stream } from "../../http2/stream.ts";
import type { RelayFilter } from "./relay-filter.ts";
import { RequestOutlet } from "./request-outlet.ts";

/** The request of a relayed call that goes through a filter. */
export class FilteredRequest {
  private readonly filter: RelayFilter;
  private readonly outlet: RequestOutlet;
  private readonly refuse: (error: unknown) => void;
  private closed = false;

  /** `refuse` is called at most once, with what the filter threw. */
  constructor(filter: RelayFilter, from: Stream, to: Stream, refuse: (error: unknown) => void) {
    this.filter = filter;
    this.outlet = new RequestOutlet(from, to, (error) => this.failed(error));
    this.refuse = refuse;
  }

  /** Takes bytes as they are received; returns how many of them need no more room. */
  data(buffer: Buffer, start: number, end: number, fin: boolean): number {
    if (this.closed) return end - start;
    const kept = this.outlet.collect(start, () =>
      this.guarded(() => {
        this.filter.feed(buffer, start, end, this.outlet);
        if (fin) this.finish(null);
      }),
    );
    return end - start - kept;
  }

  /** The request ended without more data. */
  end(trailers: readonly Field[] | null): void {
    if (!this.closed) this.guarded(() => this.finish(trailers));
  }

  /** The call is over. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.filter.close();
    this.outlet.close();
  }

  private finish(trailers: readonly Field[] | null): void {
    this.filter.finish(this.outlet);
    this.outlet.end(trailers);
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    if (this.closed) return;
    this.close();
    this.refuse(error);
  }
}
