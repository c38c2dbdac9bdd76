/** Calls of one level of the API to one server, through grpc-js. */
import * as grpc from "@grpc/grpc-js";
import { type Codec, codec, type Draft, MalformedMessageError, type MessageName } from "../spec/codec.ts";
import type { Messages } from "../spec/generated/messages.ts";
import { type Method, methodAt } from "../spec/methods.ts";
import { type Level, NEWEST } from "../spec/versions.ts";
import { Status } from "../wire/status.ts";
import { CallFailed } from "./call-failed.ts";

/** Any message of the API, as it is given for encoding. */
export type Fields = Readonly<Record<string, unknown>>;

/** Values of headers that go out with calls, one or several for each name; those of names in `-bin` are bytes. */
export type Headers = Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>;

/** What a connection is made with. */
export interface ConnectionOptions {
  /** What messages are written and read as; fields of later levels are neither. The newest by default. */
  readonly level?: Level;
  /** Sent with every call. */
  readonly headers?: Headers;
  /** Milliseconds that a call may take; no limit by default. */
  readonly callMs?: number;
  /** Cancels every call that is under way, and those that come. */
  readonly signal?: AbortSignal;
}

/** A Write that is under way. */
export interface OpenWrite {
  /** The committed size, or CallFailed. */
  readonly response: Promise<number>;
  /** Resolves when the request has left, or the call has ended. */
  send(request: Fields): Promise<void>;
  end(): void;
  cancel(): void;
}

type WriteResponse = Messages["google.bytestream.WriteResponse"];

const same = (bytes: Buffer): Buffer => bytes;
const WRITE = "/google.bytestream.ByteStream/Write";

/** A connection of its own, made at the first call. Every call throws CallFailed if it ends with a status other than OK. */
export class Connection {
  readonly codec: Codec;
  readonly #client: grpc.Client;
  readonly #options: ConnectionOptions;

  /** `address` is `HOST:PORT` or `unix:PATH`. */
  constructor(address: string, options: ConnectionOptions = {}) {
    this.codec = codec(options.level ?? NEWEST);
    this.#options = options;
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure(), {
      // A proxy for the outer world is of no use here.
      "grpc.enable_http_proxy": 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
      "grpc.max_receive_message_length": -1,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** Calls a method with one response. `path` is a `:path`. @throws RangeError for a method that no level has. */
  async unary<Response>(path: string, request: Fields, headers: Headers = {}): Promise<Response> {
    const method = methodOf(path);
    const response = await this.unaryBytes(path, this.#encode(method.request, request), headers);
    return this.#decode<Response>(method, response);
  }

  /** Calls any method with one response, with a request that may be anything. */
  unaryBytes(path: string, request: Buffer, headers: Headers = {}): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const call = this.#client.makeUnaryRequest(
      path,
      same,
      same,
      request,
      this.#metadata(headers),
      this.#callOptions(),
      (error, value) => (error ? reject(CallFailed.of(path, error)) : resolve(value!)),
    );
    const release = this.#cancelWith(call);
    return promise.finally(release);
  }

  /** Calls a method with many responses and reads them as they come. */
  async *stream<Response>(path: string, request: Fields, signal?: AbortSignal): AsyncIterable<Response> {
    const method = methodOf(path);
    const bytes = this.#encode(method.request, request);
    const metadata = this.#metadata({});
    const call = this.#client.makeServerStreamRequest(path, same, same, bytes, metadata, this.#callOptions());
    const release = this.#cancelWith(call, signal);
    try {
      for await (const message of call) yield this.#decode<Response>(method, message as Buffer);
    } catch (error) {
      throw error instanceof CallFailed ? error : CallFailed.of(path, error as grpc.ServiceError);
    } finally {
      release();
    }
  }

  /** Opens a Write; requests go out through `send`, and `response` settles when the server has answered. */
  openWrite(headers: Headers = {}): OpenWrite {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const metadata = this.#metadata(headers);
    const call = this.#client.makeClientStreamRequest(
      WRITE,
      same,
      same,
      metadata,
      this.#callOptions(),
      (error, value) => {
        if (error) reject(CallFailed.of(WRITE, error));
        else resolve(value!);
      },
    );
    const release = this.#cancelWith(call);
    const response = promise
      .finally(release)
      .then((bytes) => Number(this.#decode<WriteResponse>(methodOf(WRITE), bytes).committedSize));
    // Whoever sends requests looks at the response later.
    response.catch(() => {});
    return {
      response,
      send: (request) =>
        new Promise((sent) =>
          call.write(this.codec.encode("google.bytestream.WriteRequest", request), () => sent()),
        ),
      end: () => call.end(),
      cancel: () => call.cancel(),
    };
  }

  #encode(name: MessageName, message: Fields): Buffer {
    return this.codec.encode(name, message as Draft<Messages[MessageName]>);
  }

  /** A response that cannot be read is a failure of the call, as gRPC has it. */
  #decode<Response>({ path, response }: Method, bytes: Buffer): Response {
    try {
      return this.codec.decode(response, bytes) as Response;
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      throw new CallFailed(path, Status.INTERNAL, error.message, null);
    }
  }

  #metadata(headers: Headers): grpc.Metadata {
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries({ ...this.#options.headers, ...headers })) {
      for (const each of [value].flat()) metadata.add(name, each);
    }
    return metadata;
  }

  #callOptions(): grpc.CallOptions {
    const { callMs } = this.#options;
    return callMs === undefined ? {} : { deadline: Date.now() + callMs };
  }

  /** Has the call cancelled with the connection's signal or one of its own; returns what takes that back. */
  #cancelWith(call: { cancel(): void }, own?: AbortSignal): () => void {
    const signals = [this.#options.signal, own].filter((signal) => signal !== undefined);
    const cancel = () => call.cancel();
    if (signals.some((signal) => signal.aborted)) cancel();
    for (const signal of signals) signal.addEventListener("abort", cancel);
    return () => {
      for (const signal of signals) signal.removeEventListener("abort", cancel);
    };
  }
}

function methodOf(path: string): Method {
  const method = methodAt(path);
  if (method === undefined) throw new RangeError(`no method ${path}`);
  return method;
}
