import { Bit, type Frame, Type } from "./frames.ts";
import type { Header } from "./hpack.ts";

/** What a peer has received on one stream. */
export class StreamRecord {
  /** Header sections in the order they came: informational ones, the headers, the trailers. */
  readonly sections: Header[][] = [];
  /** Bytes of DATA received, padding not counted. */
  received = 0;
  /** The error code of RST_STREAM, if one came. */
  reset: number | null = null;
  /** True once END_STREAM came. */
  ended = false;
  private readonly body: Buffer[] = [];
  private readonly keepBody: boolean;
  private readonly done = Promise.withResolvers<void>();
  /** Resolves when the stream ended or was reset; rejects when the connection went first. */
  readonly finished: Promise<void> = this.done.promise;

  constructor(keepBody: boolean) {
    this.keepBody = keepBody;
    // Most tests never look at most streams.
    this.finished.catch(() => {});
  }

  /** Takes a HEADERS, DATA or RST_STREAM frame. */
  take(frame: Frame): void {
    if (frame.type === Type.RST_STREAM) this.reset = frame.payload.readUInt32BE();
    if (frame.type === Type.DATA) {
      const content = unpad(frame);
      this.received += content.length;
      if (this.keepBody) this.body.push(content);
    }
    if (frame.headers !== undefined) this.sections.push(frame.headers);
    if (frame.type !== Type.RST_STREAM && (frame.flags & Bit.END_STREAM) !== 0) this.ended = true;
    if (this.ended || this.reset !== null) this.done.resolve();
  }

  /** Tells the stream that its connection is gone. */
  abandon(reason: string): void {
    this.done.reject(new Error(reason));
  }

  /** The DATA received so far. */
  bytes(): Buffer {
    return Buffer.concat(this.body);
  }

  /** The first value of `name` in the last header section, where a gRPC status is. */
  last(name: string): string | undefined {
    return this.sections.at(-1)?.find(([key]) => key === name)?.[1];
  }

  /** The gRPC status of the call, null while there is none. */
  get grpcStatus(): number | null {
    const text = this.last("grpc-status");
    return text === undefined ? null : Number(text);
  }
}

function unpad({ flags, payload }: Frame): Buffer {
  return (flags & Bit.PADDED) === 0 ? payload : payload.subarray(1, payload.length - payload[0]!);
}
