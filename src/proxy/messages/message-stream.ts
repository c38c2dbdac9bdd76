import type { Budget } from "../../http2/budget.ts";
import type { Field } from "../../http2/hpack/field.ts";
import { internName } from "../../http2/hpack/name.ts";
import { HeadKind, type Stream, type StreamSink } from "../../http2/stream.ts";
import { PREFIX_BYTES, writePrefix } from "../../wire/envelope.ts";
import type { CallError } from "./call-error.ts";
import { inflateMessage } from "./inflate.ts";
import { MessageIntake, type RawMessage } from "./message-intake.ts";

/** Bytes queued for a peer above which a writer is asked to wait. */
const WRITE_AHEAD = 64 * 1024;
const GRPC_ENCODING = internName("grpc-encoding");

/** What may happen to a stream of messages besides messages. */
export interface MessageStreamEvents {
  /** The head came (response side only). */
  head(fields: readonly Field[]): void;
  /** The peer ended its direction, with these trailers (none for a request). */
  ended(trailers: readonly Field[]): void;
  /** The stream was reset. */
  reset(code: number, why: string | null): void;
  /** What the peer sends cannot be read. */
  unreadable(error: CallError): void;
}

/** One HTTP/2 stream seen as gRPC messages in both directions, each way with back-pressure. */
export class MessageStream implements StreamSink {
  private readonly events: MessageStreamEvents;
  private readonly intake: MessageIntake;
  private readonly maxMessageBytes: number;
  private stream: Stream | null = null;
  private encoding = "";
  private writable: PromiseWithResolvers<void> | null = null;
  private closed = false;

  constructor(budget: Budget, maxMessageBytes: number, events: MessageStreamEvents) {
    this.events = events;
    this.maxMessageBytes = maxMessageBytes;
    this.intake = new MessageIntake(
      budget,
      maxMessageBytes,
      (bytes) => this.stream?.consumed(bytes),
      (error) => events.unreadable(error),
    );
  }

  /** Connects the stream; what comes on it goes here from now on. */
  attach(stream: Stream): void {
    this.stream = stream;
    stream.sink = this;
  }

  /** The head that the peer's messages follow: tells how they are compressed. */
  useHead(fields: readonly Field[]): void {
    for (const field of fields) if (field.name === GRPC_ENCODING) this.encoding = field.value;
  }

  /** The peer has ended its direction before this object existed. */
  finished(): void {
    this.intake.finish();
  }

  /** The messages the peer sends, inflated, in order; each is dropped from the budget when the next one is asked for. */
  async *messages(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const raw = await this.intake.next();
      if (raw === null) return;
      const message = await this.inflated(raw);
      try {
        yield message.bytes;
      } finally {
        this.intake.release(message.held);
      }
    }
  }

  /** The next message, inflated, or null after the last; it is charged to the budget until the stream is closed. */
  async take(): Promise<Buffer | null> {
    const raw = await this.intake.next();
    return raw === null ? null : (await this.inflated(raw)).bytes;
  }

  /** Sends one message, not compressed, given as slices that the caller leaves alone. Resolves when it is time for the next one. */
  async write(message: readonly Buffer[]): Promise<void> {
    const { stream } = this;
    if (stream === null || this.closed) return;
    let length = 0;
    for (const slice of message) length += slice.length;
    const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
    writePrefix(prefix, 0, length);
    stream.send(prefix, false);
    for (const slice of message) if (slice.length > 0) stream.send(slice, false);
    if (stream.pendingBytes <= WRITE_AHEAD) return;
    this.writable ??= Promise.withResolvers();
    await this.writable.promise;
  }

  /** Stops reading and writing; nothing is charged any more. */
  close(): void {
    this.closed = true;
    this.intake.close();
    this.drained();
  }

  private async inflated(raw: RawMessage): Promise<RawMessage> {
    if (!raw.compressed) return raw;
    try {
      const bytes = await inflateMessage(this.encoding, raw.bytes, this.maxMessageBytes);
      this.intake.hold(bytes.length);
      return { bytes, compressed: false, held: bytes.length };
    } finally {
      this.intake.release(raw.held);
    }
  }

  // ---- from the stream ----

  headers(fields: readonly Field[], kind: number, fin: boolean): void {
    if (kind === HeadKind.FINAL) {
      this.useHead(fields);
      this.events.head(fields);
    }
    if (!fin) return;
    this.intake.finish();
    this.events.ended(fields);
  }

  data(buffer: Buffer, start: number, end: number, fin: boolean): number {
    const taken = this.intake.take(buffer, start, end, fin);
    if (fin) this.events.ended([]);
    return taken;
  }

  reset(code: number, why: string | null): void {
    this.close();
    this.events.reset(code, why);
  }

  drained(): void {
    this.writable?.resolve();
    this.writable = null;
  }
}
