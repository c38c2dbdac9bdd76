import type { Digest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import type { Message } from "./exchange.ts";
import { findMissing } from "./find-missing.ts";
import * as methods from "./methods.ts";
import type { Blob, BlobParts, BlobRead, BlobStored, Upstream } from "./port.ts";
import { readBlob, streamBlob } from "./read-blob.ts";
import { readBlobs } from "./read-blobs.ts";
import { Session, type SessionOptions } from "./session.ts";
import { storeEach } from "./store-each.ts";
import type { Parts } from "./stream-in.ts";
import { writeBlob, writeBlobs } from "./write-blobs.ts";

type Responses = AsyncGenerator<Buffer, void, void>;

/** The upstream port over a {@link Caller}. Whoever makes one closes it when the caller's call is over. */
export class UpstreamClient implements Upstream {
  private readonly session: Session;

  constructor(options: SessionOptions) {
    this.session = new Session(options);
  }

  /** Gives back to the budget what the port still counts. */
  close(): void {
    this.session.close();
  }

  functionOf(digest: Digest): DigestFunction {
    return this.session.functionOf(digest);
  }

  capabilities(): Promise<Buffer> {
    return this.session.keptAnswer(methods.GET_CAPABILITIES, this.session.instanceRequest());
  }

  findMissing(digests: readonly Digest[]): Promise<Digest[]> {
    return findMissing(this.session, digests);
  }

  readBlob(digest: Digest, maxBytes: number): Promise<Buffer> {
    return readBlob(this.session, digest, maxBytes);
  }

  readBlobs(digests: readonly Digest[], maxBytes: number): AsyncGenerator<BlobRead, void, void> {
    return readBlobs(this.session, digests, maxBytes);
  }

  streamBlob(digest: Digest): Responses {
    return streamBlob(this.session, digest);
  }

  writeBlob(digest: Digest, parts: Parts): Promise<void> {
    return writeBlob(this.session, digest, parts);
  }

  writeBlobs(blobs: readonly Blob[]): Promise<void> {
    return writeBlobs(this.session, blobs);
  }

  storeEach(blobs: Iterable<BlobParts>): AsyncGenerator<BlobStored, void, void> {
    return storeEach(this.session, blobs);
  }

  async getActionResult(request: Buffer): Promise<Buffer> {
    const stamped = this.session.stamp(request, { digest: 2, digestFunction: 6 });
    return this.session.keptAnswer(methods.GET_ACTION_RESULT, stamped);
  }

  async updateActionResult(request: Buffer): Promise<Buffer> {
    const stamped = this.session.stamp(request, { digest: 2, digestFunction: 5 });
    return this.session.keptAnswer(methods.UPDATE_ACTION_RESULT, stamped);
  }

  async *execute(request: Buffer): Responses {
    yield* this.session.call(methods.EXECUTE, this.session.stamp(request, { digest: 6, digestFunction: 9 }));
  }

  waitExecution(name: string): Responses {
    return this.session.call(methods.WAIT_EXECUTION, operation(name));
  }

  getOperation(name: string): Promise<Buffer> {
    return this.session.keptAnswer(methods.GET_OPERATION, operation(name));
  }

  async cancelOperation(name: string): Promise<void> {
    await this.session.answer(methods.CANCEL_OPERATION, operation(name));
  }

  async *getTree(request: Buffer): Responses {
    yield* this.session.call(methods.GET_TREE, this.session.stamp(request, { digest: 2, digestFunction: 5 }));
  }

  call(path: string, request: Buffer): Responses {
    return this.session.call(path, [request]);
  }
}

/** A request whose only field is the name of an operation. */
function operation(name: string): Message {
  const out = new FieldWriter();
  out.text(1, name);
  return out.finish();
}
