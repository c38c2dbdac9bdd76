import type { ActionCache } from "./action-cache.ts";
import type { BlobDigest } from "./blob-store.ts";

/** Keeps results in memory, all of them and for as long as it lives. */
export class MemoryActionCache implements ActionCache {
  private readonly results = new Map<string, Buffer>();

  async get(instance: string, action: BlobDigest): Promise<Buffer | null> {
    return this.results.get(key(instance, action)) ?? null;
  }

  async put(instance: string, action: BlobDigest, result: Buffer): Promise<void> {
    this.results.set(key(instance, action), Buffer.from(result));
  }
}

function key(instance: string, { digestFunction, hash, sizeBytes }: BlobDigest): string {
  return `${digestFunction.segment}/${hash}/${sizeBytes}/${instance}`;
}
