/** What a store of blobs can do. The content addressable storage of the embedded server is one; execution reads and writes it. */
import { type Digest, formatDigest } from "../../wire/digest.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";

/** A digest and the function it was made with: together they name a blob. The digest is one that `checkDigest` accepts. */
export interface BlobDigest extends Digest {
  readonly digestFunction: DigestFunction;
}

/** Blobs by digest. Safe for any number of concurrent callers. */
export interface BlobStore {
  /** Whether the blob is there. */
  has(digest: BlobDigest): Promise<boolean>;
  /**
   * The whole blob, or null if it is not there. For messages and other small things.
   * @throws CallError INVALID_ARGUMENT for a blob of more than {@link MAX_WHOLE_BYTES}.
   */
  get(digest: BlobDigest): Promise<Buffer | null>;
  /**
   * At most `limit` bytes (Infinity: all) from `offset`, in chunks of at most 64 KiB.
   * @throws BlobMissingError if the blob is not there.
   */
  read(digest: BlobDigest, offset: number, limit: number): AsyncIterable<Buffer>;
  /**
   * Stores a blob; nothing is written if it is there already.
   * @throws BlobMismatchError if the bytes do not have this digest.
   */
  put(digest: BlobDigest, bytes: Buffer): Promise<void>;
  /** Begins to store a blob whose bytes come in pieces. It becomes visible, all at once, when the write is finished. */
  write(digest: BlobDigest): BlobWrite;
  /** Takes the blob out of the store; false if it is not there. Whoever is reading it reads on. */
  delete(digest: BlobDigest): Promise<boolean>;
  /** Copies the blob to a new file at `path` with these permissions; false, and no file, if the blob is not there. */
  copyTo(digest: BlobDigest, path: string, mode: number): Promise<boolean>;
  /** Stores the content of a file and returns its digest. Rejects with the error of the file system if it cannot be read. */
  putFile(path: string, digestFunction: DigestFunction): Promise<BlobDigest>;
}

/** The most bytes that are held in memory as a whole: as many as in the largest message that is taken. */
export const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

/** Refuses to hold a blob as a whole. @throws CallError as {@link BlobStore.get}. */
export function checkWhole(digest: BlobDigest): void {
  if (digest.sizeBytes <= MAX_WHOLE_BYTES) return;
  const message = `${formatDigest(digest)} is too large for what it is used as: more than ${MAX_WHOLE_BYTES} bytes`;
  throw new CallError(Status.INVALID_ARGUMENT, message);
}

/** A blob on its way in. End it with `finish` or `abort`, after which nothing else works; calls must not overlap. */
export interface BlobWrite {
  /**
   * Adds bytes.
   * @throws BlobMismatchError as soon as there are more than the digest says.
   */
  append(chunk: Buffer): Promise<void>;
  /**
   * Makes the blob visible, durably where the store is durable.
   * @throws BlobMismatchError if size or hash differ; the bytes are dropped.
   */
  finish(): Promise<void>;
  /** Drops what was written. Allowed at any time; after `finish` it does nothing. */
  abort(): Promise<void>;
}

/** The blob is not in the store. */
export class BlobMissingError extends Error {
  override readonly name = "BlobMissingError";
  readonly digest: BlobDigest;

  constructor(digest: BlobDigest) {
    super(`there is no blob ${formatDigest(digest)}`);
    this.digest = digest;
  }
}

/** The bytes do not have the digest they were to be stored under. */
export class BlobMismatchError extends Error {
  override readonly name = "BlobMismatchError";
}
