import { chmod, readFile, writeFile } from "node:fs/promises";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { digestOf } from "../../wire/hasher.ts";
import {
  type BlobDigest,
  BlobMissingError,
  type BlobStore,
  type BlobWrite,
  checkWhole,
} from "./blob-store.ts";
import { CheckedBytes, checkBytes } from "./checked-bytes.ts";

const CHUNK_BYTES = 64 * 1024;

/** Keeps blobs in memory for as long as it lives, all that nobody takes out. */
export class MemoryBlobStore implements BlobStore {
  private readonly blobs = new Map<string, Buffer>();

  async has(digest: BlobDigest): Promise<boolean> {
    return this.blobs.has(key(digest));
  }

  async get(digest: BlobDigest): Promise<Buffer | null> {
    checkWhole(digest);
    return this.blobs.get(key(digest)) ?? null;
  }

  async *read(digest: BlobDigest, offset: number, limit: number): AsyncIterable<Buffer> {
    const blob = this.blobs.get(key(digest));
    if (blob === undefined) throw new BlobMissingError(digest);
    const end = Math.min(blob.length, offset + limit);
    for (let at = offset; at < end; at += CHUNK_BYTES)
      yield blob.subarray(at, Math.min(end, at + CHUNK_BYTES));
  }

  async put(digest: BlobDigest, bytes: Buffer): Promise<void> {
    if (this.blobs.has(key(digest))) return;
    checkBytes(digest, bytes);
    // A copy: the caller's bytes are often a small part of a large message, which would stay in memory.
    this.blobs.set(key(digest), Buffer.from(bytes));
  }

  write(digest: BlobDigest): BlobWrite {
    const checked = new CheckedBytes(digest);
    let chunks: Buffer[] | null = [];
    const held = () => {
      if (chunks === null) throw new Error("the write has ended");
      return chunks;
    };
    return {
      append: async (chunk) => {
        checked.add(chunk);
        held().push(chunk);
      },
      finish: async () => {
        const bytes = Buffer.concat(held());
        checked.finish();
        this.blobs.set(key(digest), bytes);
        chunks = null;
      },
      abort: async () => {
        chunks = null;
      },
    };
  }

  async delete(digest: BlobDigest): Promise<boolean> {
    return this.blobs.delete(key(digest));
  }

  async copyTo(digest: BlobDigest, path: string, mode: number): Promise<boolean> {
    const blob = this.blobs.get(key(digest));
    if (blob === undefined) return false;
    await writeFile(path, blob, { flag: "wx", mode });
    // The mask of the process has taken bits from the mode.
    await chmod(path, mode);
    return true;
  }

  async putFile(path: string, digestFunction: DigestFunction): Promise<BlobDigest> {
    const bytes = await readFile(path);
    const digest = digestOf(bytes, digestFunction);
    this.blobs.set(key(digest), bytes);
    return digest;
  }
}

function key({ digestFunction, hash, sizeBytes }: BlobDigest): string {
  return `${digestFunction.segment}/${hash}/${sizeBytes}`;
}
