import { Readable, Writable } from "node:stream";
import { ErrorCode } from "../http2/constants.ts";
import { ownCopy } from "../http2/headroom.ts";
import { type Field, makeField } from "../http2/hpack/field.ts";
import { internName, receivedName } from "../http2/hpack/name.ts";
import type { Stream } from "../http2/stream.ts";

/** Response bytes waiting for the client, above which the upstream is held back. */
const HIGH_WATER = 256 * 1024;
const STATUS = internName(":status");

/** An HTTP/2 request in the shape of `http.IncomingMessage`, as far as http2-proxy looks at it. */
export class SideRequest extends Readable {
  readonly httpVersion = "2.0";
  readonly headers: Record<string, string> = {};
  readonly method: string;
  readonly url: string;
  /** Where http2-proxy looks for addresses; the client's is nobody's business. */
  readonly socket: object = {};
  aborted = false;
  private readonly stream: Stream;
  private credit = 0;

  /** `response` is told of what happens to the stream. */
  constructor(stream: Stream, fields: readonly Field[], fin: boolean, response: SideResponse) {
    super();
    this.stream = stream;
    for (const { name, value } of fields) {
      const separator = name.text === "cookie" ? "; " : ", ";
      const before = this.headers[name.text];
      this.headers[name.text] = before === undefined ? value : before + separator + value;
    }
    this.method = this.headers[":method"] ?? "GET";
    this.url = this.headers[":path"] ?? "/";
    stream.sink = {
      // Request trailers end here: http2-proxy cannot send them.
      headers: () => void this.push(null),
      data: (buffer, start, end, last) => this.receive(buffer, start, end, last),
      reset: () => {
        this.cut();
        response.destroy();
      },
      drained: () => response.onDrained(),
    };
    if (fin) this.push(null);
  }

  override _read(): void {
    const { credit } = this;
    this.credit = 0;
    if (credit > 0) this.stream.consumed(credit);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { credit } = this;
    this.credit = 0;
    if (credit > 0) this.stream.consumed(credit);
    done(error);
  }

  private receive(buffer: Buffer, start: number, end: number, last: boolean): number {
    if (this.destroyed) return end - start;
    if (end > start) {
      this.credit += end - start;
      this.push(ownCopy(buffer, start, end));
    }
    if (last) this.push(null);
    return 0;
  }

  private cut(): void {
    this.aborted = true;
    this.emit("aborted");
    this.destroy();
  }
}

/** An HTTP/2 response in the shape of `http.ServerResponse`, as far as http2-proxy uses it. */
export class SideResponse extends Writable {
  statusCode = 200;
  headersSent = false;
  private readonly stream: Stream;
  private readonly fields = new Map<string, Field[]>();
  private trailers: Field[] = [];
  private waiting: (() => void) | null = null;

  constructor(stream: Stream) {
    super();
    this.stream = stream;
  }

  getHeaderNames(): string[] {
    return [...this.fields.keys()];
  }

  removeHeader(name: string): void {
    this.fields.delete(name.toLowerCase());
  }

  /** Throws a TypeError for what HTTP/2 cannot carry. */
  setHeader(name: string, value: number | string | readonly string[]): this {
    const values = Array.isArray(value) ? value : [value];
    const key = name.toLowerCase();
    this.fields.set(
      key,
      values.map((each) => makeField(receivedName(key), String(each))),
    );
    return this;
  }

  /** http2-proxy asks whether this exists. */
  writeHead(status: number): this {
    this.statusCode = status;
    return this;
  }

  /** Throws a TypeError for what HTTP/2 cannot carry. */
  addTrailers(trailers: Readonly<Record<string, string>>): void {
    this.trailers = Object.entries(trailers).map(([name, value]) =>
      makeField(receivedName(name.toLowerCase()), value),
    );
  }

  /** What was sent has left the stream. */
  onDrained(): void {
    const { waiting } = this;
    this.waiting = null;
    waiting?.();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.sendHead(false);
    this.stream.send(chunk, false);
    if (this.stream.pendingBytes > HIGH_WATER) this.waiting = done;
    else done();
  }

  override _final(done: () => void): void {
    const { stream, trailers } = this;
    if (trailers.length > 0) {
      this.sendHead(false);
      stream.sendHeaders(trailers, true);
    } else if (this.headersSent) {
      stream.send(Buffer.alloc(0), true);
    } else {
      this.sendHead(true);
    }
    if (!stream.remoteDone) stream.resetAfterSending(ErrorCode.NO_ERROR);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.stream.reset(ErrorCode.INTERNAL_ERROR);
    this.onDrained();
    done(error);
  }

  private sendHead(fin: boolean): void {
    if (this.headersSent) return;
    this.headersSent = true;
    this.stream.sendHeaders(
      [makeField(STATUS, String(this.statusCode)), ...[...this.fields.values()].flat()],
      fin,
    );
  }
}
