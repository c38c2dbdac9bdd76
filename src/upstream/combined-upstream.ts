import type { Digest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import type { Blob, BlobParts, BlobRead, BlobStored, Upstream } from "./port.ts";

const STORAGE = "/build.bazel.remote.execution.v2.ContentAddressableStorage/";

/** The ports of the upstreams that together serve one instance. */
export interface Combined {
  /** Keeps blobs. */
  readonly store: Upstream;
  /** Keeps results. */
  readonly results: Upstream;
  /** Executes, and answers for everything else but the methods of the store. */
  readonly execution: Upstream;
}

/** Several upstreams as one: each question goes to the one that can answer it. */
export class CombinedUpstream implements Upstream {
  private readonly of: Combined;

  constructor(of: Combined) {
    this.of = of;
  }

  functionOf(digest: Digest): DigestFunction {
    return this.of.store.functionOf(digest);
  }

  capabilities(): Promise<Buffer> {
    return this.of.execution.capabilities();
  }

  findMissing(digests: readonly Digest[]): Promise<Digest[]> {
    return this.of.store.findMissing(digests);
  }

  readBlob(digest: Digest, maxBytes: number): Promise<Buffer> {
    return this.of.store.readBlob(digest, maxBytes);
  }

  readBlobs(digests: readonly Digest[], maxBytes: number): AsyncGenerator<BlobRead, void, void> {
    return this.of.store.readBlobs(digests, maxBytes);
  }

  streamBlob(digest: Digest): AsyncGenerator<Buffer, void, void> {
    return this.of.store.streamBlob(digest);
  }

  writeBlob(digest: Digest, parts: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    return this.of.store.writeBlob(digest, parts);
  }

  writeBlobs(blobs: readonly Blob[]): Promise<void> {
    return this.of.store.writeBlobs(blobs);
  }

  storeEach(blobs: Iterable<BlobParts>): AsyncGenerator<BlobStored, void, void> {
    return this.of.store.storeEach(blobs);
  }

  getTree(request: Buffer): AsyncGenerator<Buffer, void, void> {
    return this.of.store.getTree(request);
  }

  getActionResult(request: Buffer): Promise<Buffer> {
    return this.of.results.getActionResult(request);
  }

  updateActionResult(request: Buffer): Promise<Buffer> {
    return this.of.results.updateActionResult(request);
  }

  execute(request: Buffer): AsyncGenerator<Buffer, void, void> {
    return this.of.execution.execute(request);
  }

  waitExecution(name: string): AsyncGenerator<Buffer, void, void> {
    return this.of.execution.waitExecution(name);
  }

  getOperation(name: string): Promise<Buffer> {
    return this.of.execution.getOperation(name);
  }

  cancelOperation(name: string): Promise<void> {
    return this.of.execution.cancelOperation(name);
  }

  call(path: string, request: Buffer): AsyncGenerator<Buffer, void, void> {
    const { store, execution } = this.of;
    return (path.startsWith(STORAGE) ? store : execution).call(path, request);
  }
}
