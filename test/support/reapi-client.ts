import { createHash } from "node:crypto";
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { startEmbedded } from "../../src/embedded/server.ts";
import { type Codec, codec, type Draft } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { methodAt } from "../../src/spec/methods.ts";
import { type Level, NEWEST } from "../../src/spec/versions.ts";
import { encodeBinaryHeader } from "../../src/wire/binary-header.ts";
import { decodeStatusDetails, type RpcStatus } from "../../src/wire/status-details.ts";

/** Names of the messages of the execution package. */
export const V2 = "build.bazel.remote.execution.v2";

/** A message of the execution package. */
export type V2Message<Name extends string> = Messages[Extract<`${typeof V2}.${Name}`, keyof Messages>];

type Fields = Record<string, unknown>;

/** A call that ended with a status other than OK. */
export class CallFailed extends Error {
  readonly code: number;
  readonly status: RpcStatus | null;

  constructor(error: grpc.ServiceError) {
    super(error.details);
    this.code = error.code;
    const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
    this.status = details === undefined ? null : decodeStatusDetails(encodeBinaryHeader(details as Buffer));
  }
}

const same = (bytes: Buffer): Buffer => bytes;

/** A client of one level on a connection of its own. */
export class ReapiClient {
  readonly codec: Codec;
  private readonly client: grpc.Client;

  constructor(t: TestContext, address: string, level: Level = NEWEST) {
    this.codec = codec(level);
    this.client = new grpc.Client(address, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
      "grpc.max_receive_message_length": -1,
    });
    t.after(() => this.client.close());
  }

  /** Calls a method with one response. `path` is `Service/Method` of the execution package, or a full path. */
  async unary<Response>(path: string, request: Fields, headers: Headers = {}): Promise<Response> {
    const { full, method } = resolve(path);
    const response = await this.unaryBytes(full, this.codec.encode(method.request, request), headers);
    return this.codec.decode(method.response, response) as Response;
  }

  /** Calls any method with one response, with a request that may be anything. `path` is a full one. */
  unaryBytes(path: string, request: Buffer, headers: Headers = {}): Promise<Buffer> {
    const { promise, resolve: done, reject } = Promise.withResolvers<Buffer>();
    this.client.makeUnaryRequest(path, same, same, request, metadataOf(headers), (error, value) =>
      error ? reject(new CallFailed(error)) : done(value!),
    );
    return promise;
  }

  /** Calls a method with many responses and reads them as they come. */
  async *stream<Response>(path: string, request: Fields, signal?: AbortSignal): AsyncIterable<Response> {
    const { full, method } = resolve(path);
    const bytes = this.codec.encode(method.request, request);
    const call = this.client.makeServerStreamRequest(full, same, same, bytes);
    signal?.addEventListener("abort", () => call.cancel());
    try {
      for await (const message of call)
        yield this.codec.decode(method.response, message as Buffer) as Response;
    } catch (error) {
      throw new CallFailed(error as grpc.ServiceError);
    }
  }

  /** All responses of {@link stream}. */
  async all<Response>(path: string, request: Fields): Promise<Response[]> {
    const responses: Response[] = [];
    for await (const response of this.stream<Response>(path, request)) responses.push(response);
    return responses;
  }

  /** Opens a Write; requests go out through `send`, and `response` settles when the server has answered. */
  openWrite(headers: Headers = {}): OpenWrite {
    const { promise, resolve: done, reject } = Promise.withResolvers<number>();
    const call = this.client.makeClientStreamRequest(
      "/google.bytestream.ByteStream/Write",
      same,
      same,
      metadataOf(headers),
      (error, value) => {
        if (error) reject(new CallFailed(error));
        else done(Number(this.codec.decode("google.bytestream.WriteResponse", value!).committedSize));
      },
    );
    promise.catch(() => {});
    return {
      response: promise,
      send: (request) =>
        new Promise((sent) =>
          call.write(this.codec.encode("google.bytestream.WriteRequest", request), () => sent()),
        ),
      end: () => call.end(),
      cancel: () => call.cancel(),
    };
  }

  /** Writes a blob in one call, in as many messages as `chunks`; returns the committed size. */
  async write(resourceName: string, chunks: readonly Buffer[], writeOffset = 0): Promise<number> {
    const write = this.openWrite();
    let offset = writeOffset;
    for (const [index, data] of chunks.entries()) {
      const finishWrite = index === chunks.length - 1;
      void write.send({
        resourceName: index === 0 ? resourceName : "",
        writeOffset: offset,
        data,
        finishWrite,
      });
      offset += data.length;
    }
    write.end();
    return write.response;
  }

  /** Reads a blob in one call. */
  async read(resourceName: string, readOffset = 0, readLimit = 0): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    const request = { resourceName, readOffset, readLimit };
    const path = "/google.bytestream.ByteStream/Read";
    for await (const { data } of this.stream<Messages["google.bytestream.ReadResponse"]>(path, request)) {
      chunks.push(data);
    }
    return Buffer.concat(chunks);
  }

  /** Stores blobs with one BatchUpdateBlobs and returns their digests; fails if one is refused. */
  async store(...blobs: (Buffer | string)[]): Promise<BlobName[]> {
    const requests = blobs.map((blob) => ({ digest: sha256(blob), data: Buffer.from(blob) }));
    const { responses } = await this.unary<V2Message<"BatchUpdateBlobsResponse">>(
      "ContentAddressableStorage/BatchUpdateBlobs",
      { requests },
    );
    const refused = responses.find(({ status }) => (status?.code ?? 0) !== 0);
    if (refused !== undefined) throw new Error(refused.status!.message);
    return requests.map(({ digest }) => digest);
  }

  /** Stores a message of the execution package. */
  async storeMessage<Name extends keyof Messages>(
    name: Name,
    message: Draft<Messages[Name]>,
  ): Promise<BlobName> {
    const [digest] = await this.store(this.codec.encode(name, message));
    return digest!;
  }
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

/** A Digest as requests take it. */
export interface BlobName {
  readonly hash: string;
  readonly sizeBytes: number;
}

/** The SHA-256 digest of a blob. */
export function sha256(blob: Buffer | string): BlobName {
  const bytes = Buffer.from(blob);
  return { hash: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length };
}

/** An embedded server in this process and a client of the same level (or of `clientLevel`), both gone when the test is over. */
export async function embedded(
  t: TestContext,
  level: Level = NEWEST,
  { dir = null, clientLevel = level }: { dir?: string | null; clientLevel?: Level } = {},
): Promise<{ client: ReapiClient; address: string; stop(): Promise<void> }> {
  const server = await startEmbedded({ level, listen: { kind: "tcp", host: "127.0.0.1", port: 0 }, dir });
  t.after(() => server.stop());
  return { client: new ReapiClient(t, server.address, clientLevel), ...server };
}

function resolve(path: string) {
  const full = path.startsWith("/") ? path : `/${V2}.${path}`;
  const method = methodAt(full);
  if (method === undefined) throw new RangeError(`no method ${full}`);
  return { full, method };
}

/** Headers by name; several values are sent one after the other, binary ones as base64. */
type Headers = Record<string, string | readonly string[]>;

function metadataOf(headers: Headers): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) {
    for (const each of [value].flat()) {
      metadata.add(name, name.endsWith("-bin") ? Buffer.from(each, "base64") : each);
    }
  }
  return metadata;
}
