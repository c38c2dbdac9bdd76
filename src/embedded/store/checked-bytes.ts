import { formatDigest } from "../../wire/digest.ts";
import { createHasher, type Hasher } from "../../wire/hasher.ts";
import { type BlobDigest, BlobMismatchError } from "./blob-store.ts";

/** Checks bytes that come in pieces against the digest they are to have. */
export class CheckedBytes {
  private readonly digest: BlobDigest;
  private readonly hasher: Hasher;
  private seen = 0;

  constructor(digest: BlobDigest) {
    this.digest = digest;
    this.hasher = createHasher(digest.digestFunction, digest.sizeBytes);
  }

  /** Counts and hashes a piece. @throws BlobMismatchError if there are now too many bytes. */
  add(chunk: Buffer): void {
    this.seen += chunk.length;
    if (this.seen > this.digest.sizeBytes) throw this.mismatch("more bytes than that");
    this.hasher.update(chunk);
  }

  /** Call it once, after the last piece. @throws BlobMismatchError if size or hash differ. */
  finish(): void {
    if (this.seen !== this.digest.sizeBytes) throw this.mismatch(`${this.seen} bytes`);
    const hash = this.hasher.finish();
    if (hash !== this.digest.hash) throw this.mismatch(`the hash ${hash}`);
  }

  private mismatch(found: string): BlobMismatchError {
    const { name } = this.digest.digestFunction;
    return new BlobMismatchError(`the data for ${name} ${formatDigest(this.digest)} have ${found}`);
  }
}

/** Checks a whole blob. @throws BlobMismatchError if size or hash differ. */
export function checkBytes(digest: BlobDigest, bytes: Buffer): void {
  const checked = new CheckedBytes(digest);
  checked.add(bytes);
  checked.finish();
}
