import { createHash } from "node:crypto";
import type { TestContext } from "node:test";
import { CallFailed } from "../../src/client/call-failed.ts";
import { Connection, type Fields, type Headers, type OpenWrite } from "../../src/client/connection.ts";
import type { ServerControls } from "../../src/embedded/controls.ts";
import { startEmbedded } from "../../src/embedded/server.ts";
import type { Codec, Draft } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { type Level, NEWEST } from "../../src/spec/versions.ts";

/** Names of the messages of the execution package. */
export const V2 = "build.bazel.remote.execution.v2";

/** A message of the execution package. */
export type V2Message<Name extends string> = Messages[Extract<`${typeof V2}.${Name}`, keyof Messages>];

export { CallFailed };

/** A client of one level on a connection of its own. */
export class ReapiClient {
  readonly codec: Codec;
  private readonly connection: Connection;

  constructor(t: TestContext, address: string, level: Level = NEWEST) {
    this.connection = new Connection(address, { level });
    this.codec = this.connection.codec;
    t.after(() => this.connection.close());
  }

  /** Calls a method with one response. `path` is `Service/Method` of the execution package, or a full path. */
  unary<Response>(path: string, request: Fields, headers: Headers = {}): Promise<Response> {
    return this.connection.unary(full(path), request, headers);
  }

  /** Calls any method with one response, with a request that may be anything. `path` is a full one. */
  unaryBytes(path: string, request: Buffer, headers: Headers = {}): Promise<Buffer> {
    return this.connection.unaryBytes(path, request, headers);
  }

  /** Calls a method with many responses and reads them as they come. */
  stream<Response>(path: string, request: Fields, signal?: AbortSignal): AsyncIterable<Response> {
    return this.connection.stream(full(path), request, signal);
  }

  /** All responses of {@link stream}. */
  async all<Response>(path: string, request: Fields): Promise<Response[]> {
    const responses: Response[] = [];
    for await (const response of this.stream<Response>(path, request)) responses.push(response);
    return responses;
  }

  /** Opens a Write; requests go out through `send`, and `response` settles when the server has answered. */
  openWrite(headers: Headers = {}): OpenWrite {
    return this.connection.openWrite(headers);
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
  {
    dir = null,
    clientLevel = level,
    readOnly = [],
  }: { dir?: string | null; clientLevel?: Level; readOnly?: readonly ("cache" | "store")[] } = {},
): Promise<{ client: ReapiClient; address: string; controls: ServerControls; stop(): Promise<void> }> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startEmbedded({ level, listen, dir, readOnly });
  t.after(() => server.stop());
  return { client: new ReapiClient(t, server.address, clientLevel), ...server };
}

function full(path: string): string {
  return path.startsWith("/") ? path : `/${V2}.${path}`;
}

/** What a call failed with, which has to fail. */
export async function failure(call: Promise<unknown>): Promise<CallFailed> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallFailed) return error;
    throw error;
  }
  throw new Error("the call did not fail");
}
