/** Blobs up and down, in the manner of a client. */
import { randomUUID } from "node:crypto";
import { compressorNamed } from "../compression/compressors.ts";
import { decodeBytes } from "../compression/decode.ts";
import { encodeBytes } from "../compression/encode.ts";
import type { Messages } from "../spec/generated/messages.ts";
import { Status } from "../wire/status.ts";
import { type Api, methodPath } from "./api.ts";
import type { Blob, Digest } from "./blob.ts";
import { CallFailed } from "./call-failed.ts";
import type { Connection } from "./connection.ts";
import type { Manner } from "./manner.ts";

const READ = "/google.bytestream.ByteStream/Read";
const WRITE = "/google.bytestream.ByteStream/Write";
const FIND = methodPath("ContentAddressableStorage/FindMissingBlobs");
const UPDATE = methodPath("ContentAddressableStorage/BatchUpdateBlobs");
const BATCH_READ = methodPath("ContentAddressableStorage/BatchReadBlobs");
const CHUNK_BYTES = 64 * 1024;

/** A store at the other end of a connection. Every method throws CallFailed if a call, or the part of one, fails. */
export class RemoteStore {
  readonly #connection: Connection;
  readonly #manner: Manner;
  readonly #instance: string;

  constructor(connection: Connection, manner: Manner, instance = "") {
    this.#connection = connection;
    this.#manner = manner;
    this.#instance = instance;
  }

  /** Those of the blobs that the server does not have, each once. */
  async missing(blobs: readonly Blob[]): Promise<Blob[]> {
    const { emptyBlob, mostDigests } = this.#manner;
    const each = new Map(blobs.map((blob) => [blob.digest.hash, blob]));
    const asked = [...each.values()].filter(({ bytes }) => emptyBlob || bytes.length > 0);
    const missing: Blob[] = [];
    for (let at = 0; at < asked.length; at += mostDigests) {
      const blobDigests = asked.slice(at, at + mostDigests).map(({ digest }) => digest);
      const request = { ...this.#named(), blobDigests };
      const { missingBlobDigests } = await this.#connection.unary<Api<"FindMissingBlobsResponse">>(
        FIND,
        request,
      );
      missing.push(...missingBlobDigests.flatMap(({ hash }) => each.get(hash) ?? []));
    }
    return missing;
  }

  /** Uploads what the server does not have, and returns how many blobs that were. */
  async upload(blobs: readonly Blob[]): Promise<number> {
    const missing = await this.missing(blobs);
    await this.put(missing);
    return missing.length;
  }

  /** Uploads blobs without asking: small ones together, large ones each as a stream. */
  async put(blobs: readonly Blob[]): Promise<void> {
    const { small, large } = this.#bySize(blobs, this.#manner.batches.update);
    await Promise.all([
      ...small.map((batch) => this.#putBatch(batch)),
      ...large.map((blob) => this.#putStream(blob)),
    ]);
  }

  /** Reads blobs, in the order of the digests: small ones together, large ones each as a stream. */
  async read(digests: readonly Digest[]): Promise<Buffer[]> {
    const found = new Map<string, Buffer>();
    const asked = digests.filter(({ sizeBytes }) => this.#manner.emptyBlob || sizeBytes > 0n);
    const { small, large } = this.#bySize(
      asked.map((digest) => ({ digest })),
      this.#manner.batches.read,
    );
    for (const batch of small) {
      const request = { ...this.#named(), digests: batch.map(({ digest }) => digest) };
      const { responses } = await this.#connection.unary<Api<"BatchReadBlobsResponse">>(BATCH_READ, request);
      for (const { digest, data, status } of responses) {
        if (status !== null && status.code !== 0) throw partFailed(BATCH_READ, status);
        found.set(digest?.hash ?? "", Buffer.from(data));
      }
    }
    for (const { digest } of large) found.set(digest.hash, await this.#readStream(digest));
    return digests.map((digest) => {
      const bytes = found.get(digest.hash) ?? Buffer.alloc(0);
      if (BigInt(bytes.length) === digest.sizeBytes) return bytes;
      const text = `${bytes.length} bytes came of the blob ${digest.hash}/${digest.sizeBytes}`;
      throw new CallFailed(READ, Status.DATA_LOSS, text, null);
    });
  }

  #named() {
    const { namesFunction, digestFunction } = this.#manner;
    return { instanceName: this.#instance, digestFunction: namesFunction ? digestFunction.number : 0 };
  }

  /** Splits into batches that fit the limit, and those too large for any. */
  #bySize<Item extends { digest: Digest }>(
    items: readonly Item[],
    batches: boolean,
  ): { small: Item[][]; large: Item[] } {
    const { maxBytes, overheadBytes } = this.#manner.batches;
    const sizeOf = ({ digest }: Item) => Number(digest.sizeBytes) + overheadBytes;
    const isSmall = (item: Item) => batches && sizeOf(item) <= maxBytes;
    const small: Item[][] = [];
    let room = 0;
    for (const item of items.filter(isSmall)) {
      if (small.length === 0 || sizeOf(item) > room) {
        small.push([]);
        room = maxBytes;
      }
      small.at(-1)?.push(item);
      room -= sizeOf(item);
    }
    return { small, large: items.filter((item) => !isSmall(item)) };
  }

  async #putBatch(blobs: readonly Blob[]): Promise<void> {
    const requests = blobs.map(({ digest, bytes }) => ({ digest, data: bytes }));
    const { responses } = await this.#connection.unary<Api<"BatchUpdateBlobsResponse">>(UPDATE, {
      ...this.#named(),
      requests,
    });
    const refused = responses.find(({ status }) => (status?.code ?? 0) !== 0)?.status;
    if (refused) throw partFailed(UPDATE, refused);
  }

  async #putStream({ digest, bytes }: Blob): Promise<void> {
    const { compressor, committedSize } = this.#manner;
    const sent = compressor === null ? bytes : await encodeBytes(compressorNamed(compressor), bytes);
    const write = this.#connection.openWrite();
    const resourceName = this.#resourceName(digest, `uploads/${randomUUID()}/`);
    for (let at = 0; at < Math.max(sent.length, 1); at += CHUNK_BYTES) {
      const data = sent.subarray(at, at + CHUNK_BYTES);
      const finishWrite = at + data.length === sent.length;
      const name = at === 0 ? resourceName : "";
      void write.send({ resourceName: name, writeOffset: BigInt(at), finishWrite, data });
    }
    write.end();
    const counts = { sent: sent.length, blob: bytes.length, "minus-one": -1 };
    const taken = compressor === null ? [bytes.length] : committedSize.map((count) => counts[count]);
    const committed = await write.response;
    if (taken.includes(committed)) return;
    const text = `the upload of ${digest.hash}/${digest.sizeBytes} ended at ${committed} bytes, not at ${taken.join(" or ")}`;
    throw new CallFailed(WRITE, Status.DATA_LOSS, text, null);
  }

  async #readStream(digest: Digest): Promise<Buffer> {
    const { compressor } = this.#manner;
    const chunks: Uint8Array[] = [];
    const request = { resourceName: this.#resourceName(digest, "") };
    type Answer = Messages["google.bytestream.ReadResponse"];
    for await (const { data } of this.#connection.stream<Answer>(READ, request)) chunks.push(data);
    const bytes = Buffer.concat(chunks);
    if (compressor === null) return bytes;
    try {
      return await decodeBytes(compressorNamed(compressor), bytes, Number(digest.sizeBytes));
    } catch (error) {
      const text = `what came of the blob ${digest.hash}/${digest.sizeBytes} is no ${compressor} of it: ${(error as Error).message}`;
      throw new CallFailed(READ, Status.DATA_LOSS, text, null);
    }
  }

  #resourceName({ hash, sizeBytes }: Digest, upload: string): string {
    const { compressor, digestFunction, functionSegment } = this.#manner;
    const instance = this.#instance === "" ? "" : `${this.#instance}/`;
    const kind = compressor === null ? "blobs" : `compressed-blobs/${compressorNamed(compressor).segment}`;
    const segment = functionSegment ? `${digestFunction.segment}/` : "";
    return `${instance}${upload}${kind}/${segment}${hash}/${sizeBytes}`;
  }
}

/** A part of a batch that failed has a status of its own. */
function partFailed(path: string, { code, message }: Messages["google.rpc.Status"]): CallFailed {
  return new CallFailed(path, code, message, null);
}
