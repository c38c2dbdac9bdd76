/** The client of the demo: the calls a build tool makes, with nothing of the bridge in it. */
import { randomUUID } from "node:crypto";
import { Client, type ClientReadableStream, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { unpackAny } from "../../spec/any.ts";
import { codec, type Draft, type MessageName } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { methodAt } from "../../spec/methods.ts";
import type { Blob, Digest } from "./blob.ts";
import { BuildError } from "./build-error.ts";

type Api<Name extends string> = Messages[Extract<`build.bazel.remote.execution.v2.${Name}`, MessageName>];
type ByteStream<Name extends string> = Messages[Extract<`google.bytestream.${Name}`, MessageName>];
type Operation = Messages["google.longrunning.Operation"];

const V2 = "/build.bazel.remote.execution.v2.";
const BYTE_STREAM = "/google.bytestream.ByteStream/";
const CHUNK_BYTES = 64 * 1024;
const CALL_MS = 10_000;
/** Room in a batch for the digest and the framing of one blob. */
const OVERHEAD_BYTES = 256;
/** The most this client puts into a batch, whatever the server allows: half of what gRPC peers take without being told. */
const MAX_BATCH_BYTES = 2 * 1024 * 1024;

const asIs = (bytes: Buffer): Buffer => bytes;

/** Calls one server. Every method throws a BuildError that names the call, if it fails. */
export class RemoteClient {
  readonly #client: Client;
  #maxBatchBytes = MAX_BATCH_BYTES;

  /** `address` is HOST:PORT. Nothing is connected before the first call. */
  constructor(address: string) {
    // A proxy for the outer world is of no use here.
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
  }

  close(): void {
    this.#client.close();
  }

  /** Asks what the server can do, which everything else needs to know. */
  async greet(): Promise<void> {
    const said = await this.#unary<Api<"ServerCapabilities">>(`${V2}Capabilities/GetCapabilities`, {});
    if (!said.executionCapabilities?.execEnabled) throw new BuildError("the server does not run actions");
    // 0 means that the server has no limit of its own.
    const limit = Number(said.cacheCapabilities?.maxBatchTotalSizeBytes ?? 0n);
    if (limit > 0) this.#maxBatchBytes = Math.min(limit, MAX_BATCH_BYTES);
  }

  /** The result of an action that ran before, or null. */
  async cachedResult(actionDigest: Digest): Promise<Api<"ActionResult"> | null> {
    const path = `${V2}ActionCache/GetActionResult`;
    return this.#unary<Api<"ActionResult"> | null>(path, { actionDigest }, { [status.NOT_FOUND]: null });
  }

  /** Uploads what the server does not have: small blobs together, large ones each as a stream. */
  async upload(blobs: readonly Blob[]): Promise<void> {
    const path = `${V2}ContentAddressableStorage/FindMissingBlobs`;
    const { missingBlobDigests } = await this.#unary<Api<"FindMissingBlobsResponse">>(path, {
      blobDigests: blobs.map(({ digest }) => digest),
    });
    const missing = new Set(missingBlobDigests.map(({ hash }) => hash));
    const { small, large } = this.#bySize(blobs.filter(({ digest }) => missing.has(digest.hash)));
    await Promise.all([
      ...small.map((batch) => this.#uploadBatch(batch)),
      ...large.map((blob) => this.#uploadStream(blob)),
    ]);
  }

  /** Runs an action and waits for its end. */
  async execute(actionDigest: Digest): Promise<Api<"ActionResult">> {
    let last: Operation | undefined;
    for await (const operation of this.#stream<Operation>(`${V2}Execution/Execute`, { actionDigest })) {
      last = operation;
    }
    const name = "build.bazel.remote.execution.v2.ExecuteResponse";
    const response = unpackAny(codec(), name, last?.response ?? null);
    if (response === null) throw new BuildError("Execute ended without a response");
    const { status: failure, result } = response;
    if (failure !== null && failure.code !== 0) throw new BuildError(`an action failed: ${failure.message}`);
    if (result === null) throw new BuildError("Execute ended without a result");
    return result;
  }

  /** Reads blobs, in the order of the digests: small ones together, large ones each as a stream. */
  async read(digests: readonly Digest[]): Promise<Buffer[]> {
    const { small, large } = this.#bySize(digests.map((digest) => ({ digest })));
    const found = new Map<string, Buffer>();
    for (const batch of small) {
      const path = `${V2}ContentAddressableStorage/BatchReadBlobs`;
      const wanted = { digests: batch.map(({ digest }) => digest) };
      const { responses } = await this.#unary<Api<"BatchReadBlobsResponse">>(path, wanted);
      for (const { digest, data } of responses) found.set(digest?.hash ?? "", Buffer.from(data));
    }
    for (const { digest } of large) {
      const request = { resourceName: `blobs/${digest.hash}/${digest.sizeBytes}` };
      const chunks: Uint8Array[] = [];
      for await (const { data } of this.#stream<ByteStream<"ReadResponse">>(`${BYTE_STREAM}Read`, request)) {
        chunks.push(data);
      }
      found.set(digest.hash, Buffer.concat(chunks));
    }
    return digests.map(({ hash }) => found.get(hash) ?? Buffer.alloc(0));
  }

  /** Splits into batches that fit the limit of the server, and those too large for any. */
  #bySize<Item extends { digest: Digest }>(items: readonly Item[]): { small: Item[][]; large: Item[] } {
    const sizeOf = ({ digest }: Item) => Number(digest.sizeBytes) + OVERHEAD_BYTES;
    const small: Item[][] = [];
    let room = 0;
    for (const item of items.filter((each) => sizeOf(each) <= this.#maxBatchBytes)) {
      if (sizeOf(item) > room) {
        small.push([]);
        room = this.#maxBatchBytes;
      }
      small.at(-1)?.push(item);
      room -= sizeOf(item);
    }
    return { small, large: items.filter((each) => sizeOf(each) > this.#maxBatchBytes) };
  }

  async #uploadBatch(blobs: readonly Blob[]): Promise<void> {
    const requests = blobs.map(({ digest, bytes }) => ({ digest, data: bytes }));
    const path = `${V2}ContentAddressableStorage/BatchUpdateBlobs`;
    const { responses } = await this.#unary<Api<"BatchUpdateBlobsResponse">>(path, { requests });
    const refused = responses.find((response) => (response.status?.code ?? 0) !== 0);
    if (refused !== undefined) throw new BuildError(`a blob was refused: ${refused.status?.message}`);
  }

  async #uploadStream({ digest, bytes }: Blob): Promise<void> {
    const path = `${BYTE_STREAM}Write`;
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const call = this.#client.makeClientStreamRequest(path, asIs, asIs, options(), (error, answer) =>
      error === null ? resolve(answer!) : reject(failure(path, error)),
    );
    const resourceName = `uploads/${randomUUID()}/blobs/${digest.hash}/${digest.sizeBytes}`;
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const data = bytes.subarray(at, at + CHUNK_BYTES);
      const finishWrite = at + data.length === bytes.length;
      const request = {
        resourceName: at === 0 ? resourceName : "",
        writeOffset: BigInt(at),
        finishWrite,
        data,
      };
      call.write(codec().encode("google.bytestream.WriteRequest", request));
    }
    call.end();
    const { committedSize } = codec().decode("google.bytestream.WriteResponse", await promise);
    if (committedSize !== digest.sizeBytes)
      throw new BuildError(`${path} stored ${committedSize} bytes only`);
  }

  /** `instead` has answers that stand for statuses, by code. */
  async #unary<Answer>(path: string, request: object, instead: Record<number, Answer> = {}): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.#client.makeUnaryRequest(path, asIs, asIs, encoded(path, request), options(), (error, answer) =>
      error === null ? resolve(answer!) : reject(error),
    );
    try {
      return decoded<Answer>(path, await promise);
    } catch (error) {
      const { code } = error as ServiceError;
      if (Object.hasOwn(instead, code)) return instead[code]!;
      throw failure(path, error as ServiceError);
    }
  }

  async *#stream<Answer>(path: string, request: object): AsyncIterable<Answer> {
    const bytes = encoded(path, request);
    const call: ClientReadableStream<Buffer> = this.#client.makeServerStreamRequest(
      path,
      asIs,
      asIs,
      bytes,
      options(),
    );
    try {
      for await (const answer of call) yield decoded<Answer>(path, answer as Buffer);
    } catch (error) {
      throw failure(path, error as ServiceError);
    }
  }
}

function encoded(path: string, request: object): Buffer {
  return codec().encode(methodAt(path)!.request, request as Draft<Messages[MessageName]>);
}

function decoded<Answer>(path: string, bytes: Buffer): Answer {
  return codec().decode(methodAt(path)!.response, bytes) as Answer;
}

function options() {
  return { deadline: Date.now() + CALL_MS };
}

function failure(path: string, error: ServiceError): BuildError {
  return new BuildError(`the call ${path} failed: ${error.message}`, { cause: error });
}
