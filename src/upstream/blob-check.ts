import { type Digest, formatDigest } from "../wire/digest.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { canHash, createHasher, type Hasher } from "../wire/hasher.ts";
import { Status } from "../wire/status.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Checks bytes that come in parts against the digest they should have; only their length where the hash cannot be computed here. */
export class BlobCheck {
  private readonly digest: Digest;
  private readonly hasher: Hasher | null;
  private arrived = 0;

  constructor(digest: Digest, digestFunction: DigestFunction) {
    this.digest = digest;
    this.hasher = canHash(digestFunction) ? createHasher(digestFunction, digest.sizeBytes) : null;
  }

  /** Takes the next bytes. @throws UpstreamError DATA_LOSS if there are more than the digest says. */
  add(bytes: Buffer): void {
    this.arrived += bytes.length;
    if (this.arrived > this.digest.sizeBytes) throw this.lost("longer");
    this.hasher?.update(bytes);
  }

  /** There are no more bytes. @throws UpstreamError DATA_LOSS if they are not the blob. */
  finish(): void {
    if (this.arrived < this.digest.sizeBytes) throw this.lost(`only ${this.arrived} bytes long`);
    if (this.hasher !== null && this.hasher.finish() !== this.digest.hash) throw this.lost("of another hash");
  }

  private lost(how: string): UpstreamError {
    const name = formatDigest(this.digest);
    return new UpstreamError(Status.DATA_LOSS, `the upstream sent as ${name} a blob that is ${how}`);
  }
}

/** Checks a whole blob. @throws UpstreamError DATA_LOSS if the bytes are not the blob. */
export function checkBlob(digest: Digest, digestFunction: DigestFunction, bytes: Buffer): void {
  const check = new BlobCheck(digest, digestFunction);
  check.add(bytes);
  check.finish();
}
