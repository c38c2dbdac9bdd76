import { createReadStream } from "node:fs";
import { access, chmod, constants, copyFile, open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { createHasher } from "../../wire/hasher.ts";
import { AtomicFile } from "./atomic-file.ts";
import {
  type BlobDigest,
  BlobMissingError,
  type BlobStore,
  type BlobWrite,
  checkWhole,
} from "./blob-store.ts";
import { CheckedBytes, checkBytes } from "./checked-bytes.ts";

const CHUNK_BYTES = 64 * 1024;

/**
 * Keeps blobs as files: `FUNCTION/HH/HASH-SIZE` under a directory, HH being the first two digits of the hash. Nothing is removed
 * by itself. A blob of any size passes through a bounded amount of memory, except in `get` and `put`.
 */
export class DiskBlobStore implements BlobStore {
  private readonly directory: string;
  private readonly scratch: string;

  /** `scratch` exists, and is on the same file system. */
  constructor(directory: string, scratch: string) {
    this.directory = directory;
    this.scratch = scratch;
  }

  async has(digest: BlobDigest): Promise<boolean> {
    return (await ifThere(access(this.path(digest)).then(() => true))) ?? false;
  }

  async get(digest: BlobDigest): Promise<Buffer | null> {
    checkWhole(digest);
    return ifThere(readFile(this.path(digest)));
  }

  async *read(digest: BlobDigest, offset: number, limit: number): AsyncIterable<Buffer> {
    const handle = await ifThere(open(this.path(digest)));
    if (handle === null) throw new BlobMissingError(digest);
    // An end of -1 would mean the whole file.
    const end = Math.min(offset + limit, digest.sizeBytes) - 1;
    if (end < offset) return void (await handle.close());
    const chunks = createReadStream("", { fd: handle, start: offset, end, highWaterMark: CHUNK_BYTES });
    for await (const chunk of chunks) yield chunk as Buffer;
  }

  async put(digest: BlobDigest, bytes: Buffer): Promise<void> {
    if (await this.has(digest)) return;
    checkBytes(digest, bytes);
    await this.store((file) => file.append(bytes).then(() => digest));
  }

  write(digest: BlobDigest): BlobWrite {
    const checked = new CheckedBytes(digest);
    let opened: Promise<AtomicFile> | null = null;
    const file = () => {
      opened ??= AtomicFile.create(this.scratch);
      return opened;
    };
    return {
      append: async (chunk) => {
        checked.add(chunk);
        await (await file()).append(chunk);
      },
      finish: async () => {
        checked.finish();
        await (await file()).commit(this.path(digest));
      },
      abort: async () => {
        // A file that could not be made need not be removed.
        const made = await opened?.catch(() => null);
        await made?.discard();
      },
    };
  }

  async delete(digest: BlobDigest): Promise<boolean> {
    return (await ifThere(unlink(this.path(digest)).then(() => true))) ?? false;
  }

  async copyTo(digest: BlobDigest, path: string, mode: number): Promise<boolean> {
    const blob = this.path(digest);
    if (!(await this.has(digest))) return false;
    await copyFile(blob, path, constants.COPYFILE_EXCL);
    await chmod(path, mode);
    return true;
  }

  async putFile(path: string, digestFunction: DigestFunction): Promise<BlobDigest> {
    const source = await open(path);
    try {
      const { size } = await source.stat();
      const hasher = createHasher(digestFunction, size);
      return await this.store(async (file) => {
        let sizeBytes = 0;
        for await (const chunk of source.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: false })) {
          sizeBytes += (chunk as Buffer).length;
          hasher.update(chunk as Buffer);
          await file.append(chunk as Buffer);
        }
        if (sizeBytes !== size) throw new Error(`${path} changed its size while it was stored`);
        return { hash: hasher.finish(), sizeBytes, digestFunction };
      });
    } finally {
      await source.close();
    }
  }

  /** Fills a file and names it by the digest that `fill` returns. */
  private async store(fill: (file: AtomicFile) => Promise<BlobDigest>): Promise<BlobDigest> {
    const file = await AtomicFile.create(this.scratch);
    try {
      const digest = await fill(file);
      await file.commit(this.path(digest));
      return digest;
    } finally {
      await file.discard();
    }
  }

  private path({ digestFunction, hash, sizeBytes }: BlobDigest): string {
    return join(this.directory, digestFunction.segment, hash.slice(0, 2), `${hash}-${sizeBytes}`);
  }
}

/** What the promise brings, or null if it fails because there is no such file. */
export async function ifThere<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
