import assert from "node:assert/strict";
import type { Field } from "../../src/http2/hpack/field.ts";
import { HeadKind, type Stream, type StreamSink } from "../../src/http2/stream.ts";

/** Takes what arrives on a stream and fails if it is no message: its parts out of order, or anything after its end. */
export class WatchedSink implements StreamSink {
  stream!: Stream;
  /** The message that arrives has ended. */
  ended = false;
  /** The message that leaves has begun. */
  headSent = false;
  private hasHead: boolean;
  private isReset = false;
  private held = 0;
  private readonly holds: boolean;

  /** `hasHead` for requests, whose head came before there was a sink; `holds` keeps data until `release`. */
  constructor(hasHead: boolean, holds: boolean) {
    this.hasHead = hasHead;
    this.holds = holds;
  }

  headers(_: readonly Field[], kind: number, fin: boolean): void {
    this.checkOpen("headers");
    if (kind === HeadKind.TRAILERS) {
      assert.ok(this.hasHead, "trailers before the head");
      assert.ok(fin, "trailers that do not end the message");
    } else {
      assert.ok(!this.hasHead, "a second head");
      assert.ok(kind === HeadKind.FINAL || !fin, "a 1xx head that ends the message");
      this.hasHead = kind === HeadKind.FINAL;
    }
    this.ended = fin;
  }

  data(_: Buffer, start: number, end: number, fin: boolean): number {
    this.checkOpen("data");
    assert.ok(this.hasHead, "data before the head");
    this.ended = fin;
    if (!this.holds) return end - start;
    this.held += end - start;
    return 0;
  }

  reset(): void {
    assert.ok(!this.isReset, "reset twice");
    this.isReset = true;
  }

  drained(): void {}

  /** Hands on what is held. */
  release(): void {
    const { held } = this;
    this.held = 0;
    if (held > 0) this.stream.consumed(held);
  }

  /** The connection is over: so is the stream. */
  checkOver(): void {
    assert.ok(this.stream.gone, `stream ${this.stream.id} is open`);
  }

  private checkOpen(what: string): void {
    assert.ok(!this.isReset, `${what} after the reset`);
    assert.ok(!this.ended, `${what} after the end`);
  }
}
