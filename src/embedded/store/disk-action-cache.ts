import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ActionCache } from "./action-cache.ts";
import { AtomicFile } from "./atomic-file.ts";
import type { BlobDigest } from "./blob-store.ts";
import { ifThere } from "./disk-blob-store.ts";

/**
 * Keeps results as files: `INSTANCE/FUNCTION/HH/HASH-SIZE` under a directory. Nothing is ever removed. An instance name may be longer
 * than a file name and hold any character, so INSTANCE is its SHA-256.
 */
export class DiskActionCache implements ActionCache {
  private readonly directory: string;
  private readonly scratch: string;

  /** `scratch` exists, and is on the same file system. */
  constructor(directory: string, scratch: string) {
    this.directory = directory;
    this.scratch = scratch;
  }

  get(instance: string, action: BlobDigest): Promise<Buffer | null> {
    return ifThere(readFile(this.path(instance, action)));
  }

  async put(instance: string, action: BlobDigest, result: Buffer): Promise<void> {
    const file = await AtomicFile.create(this.scratch);
    try {
      await file.append(result);
      await file.commit(this.path(instance, action));
    } finally {
      await file.discard();
    }
  }

  private path(instance: string, { digestFunction, hash, sizeBytes }: BlobDigest): string {
    const place = createHash("sha256").update(instance).digest("hex");
    return join(this.directory, place, digestFunction.segment, hash.slice(0, 2), `${hash}-${sizeBytes}`);
  }
}
