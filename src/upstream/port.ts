import type { Digest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import type { UpstreamError } from "./upstream-error.ts";

/**
 * The upstream as the bridge's own code sees it, for one caller, one instance name and one digest function: a port lives as long as the
 * caller's call. It speaks the upstream's dialect; whoever uses it need not know in how many calls of which kind.
 *
 * - Whatever fails throws an {@link UpstreamError}, the upstream's own status with its details if it has one. Nothing is tried again.
 * - Messages are bytes, not decoded ones, so that unknown fields survive (R1). Where a request is given, the port puts in its own
 *   instance name and digest function and leaves the rest as it is.
 * - Digests are checked first: a hash of the wrong form, or of a length that no function of the upstream has, is INVALID_ARGUMENT.
 * - Generators that are not read to their end cancel their call. What they yield counts against the budget until the next is asked for;
 *   what else the port returns, until the caller's call is over.
 */
export interface Upstream {
  /** The function that a digest was made with. @throws UpstreamError INVALID_ARGUMENT for wrong digests. */
  functionOf(digest: Digest): DigestFunction;

  /** The `ServerCapabilities` of the instance. */
  capabilities(): Promise<Buffer>;

  /** The digests of those blobs that the upstream lacks, in the order given, in as many calls as it takes. */
  findMissing(digests: readonly Digest[]): Promise<Digest[]>;

  /**
   * A whole blob, checked against its digest.
   * @throws UpstreamError NOT_FOUND; RESOURCE_EXHAUSTED if the blob is longer than `maxBytes` or the budget is spent; DATA_LOSS if what
   * came is not that blob. Of a function whose hashes cannot be computed here (`canHash`) only the length is checked.
   */
  readBlob(digest: Digest, maxBytes: number): Promise<Buffer>;

  /**
   * Blobs, each once, as they come: in batches where the upstream has those, few at a time where not. Those longer than `maxBytes` are
   * not asked for. What goes wrong with a blob is told in its place; only wrong digests throw.
   */
  readBlobs(digests: readonly Digest[], maxBytes: number): AsyncGenerator<BlobRead, void, void>;

  /** A blob of any length in parts. Whether they are that blob is known at the end: DATA_LOSS is thrown in place of it. */
  streamBlob(digest: Digest): AsyncGenerator<Buffer, void, void>;

  /**
   * Stores a blob of any length. The parts together must have the length of the digest; whether they have its hash is for the upstream
   * to check. Returns early if the upstream says that it has the blob.
   */
  writeBlob(digest: Digest, parts: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void>;

  /**
   * Stores blobs that are in memory, each once, in as few calls as the upstream allows. Throws the first refusal; the blobs after it may
   * be stored or not.
   */
  writeBlobs(blobs: readonly Blob[]): Promise<void>;

  /**
   * Stores blobs of any length by ByteStream, few at a time, and tells of each what became of it, in the order in which they are done. Parts are
   * as those of {@link writeBlob}; an UpstreamError that they throw counts as what became of the blob.
   */
  storeEach(blobs: Iterable<BlobParts>): AsyncGenerator<BlobStored, void, void>;

  /** Answers a `GetActionResultRequest` with an `ActionResult`. @throws UpstreamError NOT_FOUND for a miss. */
  getActionResult(request: Buffer): Promise<Buffer>;

  /** Answers an `UpdateActionResultRequest` with the `ActionResult` as the upstream stored it. */
  updateActionResult(request: Buffer): Promise<Buffer>;

  /** Answers an `ExecuteRequest` with `Operation`s. */
  execute(request: Buffer): AsyncGenerator<Buffer, void, void>;

  /** The `Operation`s of an execution under way, by the upstream's name for it. */
  waitExecution(name: string): AsyncGenerator<Buffer, void, void>;

  /** The `Operation` of that name. */
  getOperation(name: string): Promise<Buffer>;

  /** Asks for an operation to be cancelled. */
  cancelOperation(name: string): Promise<void>;

  /** Answers a `GetTreeRequest` with `GetTreeResponse`s. */
  getTree(request: Buffer): AsyncGenerator<Buffer, void, void>;

  /** Any other call with one request, which is sent as it is; yields the responses. */
  call(path: string, request: Buffer): AsyncGenerator<Buffer, void, void>;
}

/** A blob in memory. */
export interface Blob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** A blob as it comes. */
export interface BlobParts {
  readonly digest: Digest;
  readonly parts: Iterable<Buffer> | AsyncIterable<Buffer>;
}

/** What became of a blob that was to be stored: null where the upstream has it now. */
export interface BlobStored {
  readonly digest: Digest;
  readonly error: UpstreamError | null;
}

/** What became of one blob of several: its content, checked against the digest, or why it is not to be had. */
export type BlobRead = Blob | { readonly digest: Digest; readonly error: UpstreamError };
