import { codec } from "../../src/spec/codec.ts";
import type { Blob, BlobParts, BlobRead, BlobStored, Upstream } from "../../src/upstream/port.ts";
import { UpstreamError } from "../../src/upstream/upstream-error.ts";
import { checkDigest, type Digest, formatDigest, readDigest } from "../../src/wire/digest.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../src/wire/digest-function.ts";
import { digestOf as hashed } from "../../src/wire/hasher.ts";
import { Status } from "../../src/wire/status.ts";
import { Walker } from "../../src/wire/walker.ts";

const SHA256 = DIGEST_FUNCTIONS[0]!;

type Answers = AsyncGenerator<Buffer, void, void>;

/** An upstream in memory, with SHA-256: what translators are tested on. Everything it holds may be looked at and changed. */
export class MemoryUpstream implements Upstream {
  /** The `ServerCapabilities`. */
  serverCapabilities: Buffer = Buffer.alloc(0);
  /** Content by `hash/size`. */
  readonly blobs = new Map<string, Buffer>();
  /** `ActionResult`s by the `hash/size` of their Action. */
  readonly actionResults = new Map<string, Buffer>();
  /** The latest `Operation` by name. */
  readonly operations = new Map<string, Buffer>();
  /** Requests of Execute, in order. */
  readonly executed: Buffer[] = [];
  /** Names of operations that were to be cancelled. */
  readonly cancelled: string[] = [];
  /** Answers Execute: replace it to have it do something. */
  onExecute: (request: Buffer) => Iterable<Buffer> = () => refuse("Execution/Execute");
  /** Answers calls of methods that the port does not know. */
  onCall: (path: string, request: Buffer) => Iterable<Buffer> = refuse;

  functionOf(digest: Digest): DigestFunction {
    keyOf(digest);
    return SHA256;
  }

  /** Stores content and returns its digest. */
  put(content: Buffer | string): Digest {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    this.blobs.set(formatDigest(digest), bytes);
    return digest;
  }

  async capabilities(): Promise<Buffer> {
    return this.serverCapabilities;
  }

  async findMissing(digests: readonly Digest[]): Promise<Digest[]> {
    return digests.filter((digest) => !this.blobs.has(keyOf(digest)));
  }

  async readBlob(digest: Digest, maxBytes: number): Promise<Buffer> {
    const key = keyOf(digest);
    if (digest.sizeBytes > maxBytes) {
      const message = `${key} is longer than ${maxBytes} bytes`;
      throw new UpstreamError(Status.RESOURCE_EXHAUSTED, message);
    }
    return this.content(digest);
  }

  async *readBlobs(digests: readonly Digest[], maxBytes: number): AsyncGenerator<BlobRead, void, void> {
    for (const digest of new Map(digests.map((digest) => [keyOf(digest), digest])).values()) {
      try {
        yield { digest, bytes: await this.readBlob(digest, maxBytes) };
      } catch (error) {
        yield { digest, error: error as UpstreamError };
      }
    }
  }

  async *streamBlob(digest: Digest): Answers {
    yield this.content(digest);
  }

  async writeBlob(digest: Digest, parts: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const received: Buffer[] = [];
    for await (const part of parts) received.push(Buffer.from(part));
    const bytes = Buffer.concat(received);
    const key = keyOf(digest);
    if (formatDigest(digestOf(bytes)) !== key) {
      throw new UpstreamError(Status.INVALID_ARGUMENT, `the content is not that of ${key}`);
    }
    this.blobs.set(key, bytes);
  }

  async writeBlobs(blobs: readonly Blob[]): Promise<void> {
    for (const { digest, bytes } of blobs) await this.writeBlob(digest, [bytes]);
  }

  async *storeEach(blobs: Iterable<BlobParts>): AsyncGenerator<BlobStored, void, void> {
    for (const { digest, parts } of blobs) {
      try {
        await this.writeBlob(digest, parts);
        yield { digest, error: null };
      } catch (error) {
        yield { digest, error: error as UpstreamError };
      }
    }
  }

  async getActionResult(request: Buffer): Promise<Buffer> {
    return found(this.actionResults, actionOf(request));
  }

  async updateActionResult(request: Buffer): Promise<Buffer> {
    const field = new Walker(request);
    let result = Buffer.alloc(0);
    while (field.next()) if (field.number === 3) result = Buffer.from(field.bytes());
    this.actionResults.set(actionOf(request), result);
    return result;
  }

  async *execute(request: Buffer): Answers {
    this.executed.push(request);
    yield* this.onExecute(request);
  }

  async *waitExecution(name: string): Answers {
    yield found(this.operations, name);
  }

  async getOperation(name: string): Promise<Buffer> {
    return found(this.operations, name);
  }

  async cancelOperation(name: string): Promise<void> {
    found(this.operations, name);
    this.cancelled.push(name);
  }

  /** All directories below the root in one response; those that are missing are left out. */
  async *getTree(request: Buffer): Answers {
    const root = codec().decode("build.bazel.remote.execution.v2.GetTreeRequest", request).rootDigest;
    const first = { hash: root?.hash ?? "", sizeBytes: Number(root?.sizeBytes ?? 0n) };
    this.content(first);
    const directories = [];
    const queue = [first];
    for (const digest of queue) {
      const bytes = this.blobs.get(formatDigest(digest));
      if (bytes === undefined) continue;
      const directory = codec().decode("build.bazel.remote.execution.v2.Directory", bytes);
      directories.push(directory);
      for (const { digest: child } of directory.directories) {
        queue.push({ hash: child!.hash, sizeBytes: Number(child!.sizeBytes) });
      }
    }
    yield codec().encode("build.bazel.remote.execution.v2.GetTreeResponse", { directories });
  }

  async *call(path: string, request: Buffer): Answers {
    yield* this.onCall(path, request);
  }

  /** The empty blob is always there to be read. */
  private content(digest: Digest): Buffer {
    const key = keyOf(digest);
    return key === EMPTY ? Buffer.alloc(0) : found(this.blobs, key);
  }
}

/** The SHA-256 digest of bytes. */
function digestOf(bytes: Buffer): Digest {
  const { hash, sizeBytes } = hashed(bytes, SHA256);
  return { hash, sizeBytes };
}

const EMPTY = formatDigest(digestOf(Buffer.alloc(0)));

/** `hash/size`. @throws UpstreamError INVALID_ARGUMENT if it is no SHA-256 digest. */
function keyOf(digest: Digest): string {
  try {
    checkDigest(digest, SHA256);
    return formatDigest(digest);
  } catch (error) {
    throw new UpstreamError(Status.INVALID_ARGUMENT, (error as Error).message);
  }
}

/** The `hash/size` in field 2, the Action of both requests of the action cache. */
function actionOf(request: Buffer): string {
  const field = new Walker(request);
  while (field.next()) if (field.number === 2) return keyOf(readDigest(field.enter()));
  throw new UpstreamError(Status.INVALID_ARGUMENT, "action_digest is missing");
}

function found(map: ReadonlyMap<string, Buffer>, key: string): Buffer {
  const value = map.get(key);
  if (value === undefined) throw new UpstreamError(Status.NOT_FOUND, `${key} is not here`);
  return value;
}

function refuse(path: string): never {
  throw new UpstreamError(Status.UNIMPLEMENTED, `${path} is not offered`);
}
