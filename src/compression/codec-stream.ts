import type { Transform } from "node:stream";
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflateRaw,
  createInflateRaw,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";
import type { Compressor } from "./compressors.ts";

/** Bytes of output at a time: twice as much at most comes out at once. */
const CHUNK_BYTES = 64 * 1024;

const SIZES = { chunkSize: CHUNK_BYTES, readableHighWaterMark: CHUNK_BYTES };

/** RFC 8878 has decoders support windows of 8 MiB; what wants more memory for one stream is not decoded. */
const ZSTD_IN = { ...SIZES, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

/** The default quality of Brotli is for what is compressed once and read for years. */
const BROTLI_OUT = { ...SIZES, params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/** A stream of `node:zlib`, whose work is done on other threads. */
type ZlibStream = Transform & { readonly bytesWritten: number };

const STREAMS: Readonly<Record<Compressor["name"], readonly [() => ZlibStream, () => ZlibStream] | null>> = {
  IDENTITY: null,
  ZSTD: [() => createZstdCompress(SIZES), () => createZstdDecompress(ZSTD_IN)],
  DEFLATE: [() => createDeflateRaw(SIZES), () => createInflateRaw(SIZES)],
  BROTLI: [() => createBrotliCompress(BROTLI_OUT), () => createBrotliDecompress(SIZES)],
};

/** A compressor at work, fed by hand: nothing is taken in before what was given has been worked off, and nothing waits but one chunk. */
export class CodecStream {
  /** Bytes that were given. */
  fed = 0;
  readonly #stream: ZlibStream;
  #failure: Error | null = null;
  #event = Promise.withResolvers<void>();

  constructor(stream: ZlibStream) {
    this.#stream = stream;
    const wake = () => {
      this.#event.resolve();
      this.#event = Promise.withResolvers<void>();
    };
    stream.on("readable", wake);
    stream.on("end", wake);
    stream.on("error", (error) => {
      this.#failure = error;
      wake();
    });
  }

  /** Compresses, or with `decodes` decompresses; null for IDENTITY. */
  static of({ name }: Compressor, way: "encodes" | "decodes"): CodecStream | null {
    const make = STREAMS[name]?.[way === "encodes" ? 0 : 1];
    return make === undefined ? null : new CodecStream(make());
  }

  /** Whether all that was given was of use: decoders take nothing behind the end. */
  get tookAll(): boolean {
    return this.#stream.bytesWritten === this.fed;
  }

  /** Gives it bytes, and what comes of them. Throws the error of `node:zlib`. */
  async *feed(bytes: Buffer): AsyncGenerator<Buffer> {
    let done = false;
    this.fed += bytes.length;
    this.#stream.write(bytes, () => {
      done = true;
      this.#event.resolve();
      this.#event = Promise.withResolvers<void>();
    });
    yield* this.#until(() => done);
  }

  /** Says that this was all, and gives what is left. Throws the error of `node:zlib`. */
  async *finish(): AsyncGenerator<Buffer> {
    this.#stream.end();
    yield* this.#until(() => this.#stream.readableEnded);
  }

  close(): void {
    this.#stream.destroy();
  }

  async *#until(done: () => boolean): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const event = this.#event.promise;
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) yield chunk;
      else if (done()) return;
      else await event;
    }
  }
}
