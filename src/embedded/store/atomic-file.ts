import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

let created = 0;

/**
 * A file that appears under its name complete or not at all, also when the process is killed or the machine loses power. The directory
 * entry itself may be lost with the power: a store then misses a file, but never holds half of one.
 */
export class AtomicFile {
  private readonly path: string;
  private readonly handle: FileHandle;
  private open = true;
  private committed = false;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  /** An empty file in `directory`, which must be on the file system of its later place. Rejects with errors of the file system, as all do. */
  static async create(directory: string): Promise<AtomicFile> {
    created += 1;
    const path = join(directory, `${process.pid}-${created}`);
    return new AtomicFile(path, await open(path, "w", 0o444));
  }

  /** Adds bytes at the end. */
  async append(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      done += (await this.handle.write(chunk, done)).bytesWritten;
    }
  }

  /** Gives the file its name, in place of an earlier file. Directories on the way are made. */
  async commit(path: string): Promise<void> {
    await this.handle.datasync();
    await this.close();
    try {
      await rename(this.path, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await mkdir(dirname(path), { recursive: true });
      await rename(this.path, path);
    }
    this.committed = true;
  }

  /** Removes the file, unless it was committed. May be called again. */
  async discard(): Promise<void> {
    if (this.committed) return;
    await this.close();
    await rm(this.path, { force: true });
  }

  private async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await this.handle.close();
  }
}
